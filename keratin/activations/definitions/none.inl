// Empty: what list.inc includes for those who only want the names.
