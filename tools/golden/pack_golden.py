#!/usr/bin/env python3
"""Packs a folder of golden data (manifest.json, activations/, layers/, ...) into tests/golden.

  tools/golden/pack_golden.py GOLDEN_FOLDER [OUT_FOLDER]

One zip archive a top folder, its members named as the manifest names them, deflated; the manifest in an archive of
its own. The same data give the same bytes. Hostile files stay inside their archive: nothing unpacks them but the
tests that need them.
"""
import json
import os
import sys
import zipfile

FOLDERS = ["activations", "layers", "training", "models", "errors", "malicious", "datasets"]
# No licence that is clear enough to ship it by; NOTICE names those of the other data sets.
LEFT_OUT = {"datasets/diabetes", "models/keras2/diabetes/h5", "models/keras3/diabetes/keras"}


def add(archive, name, data):
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, data, zipfile.ZIP_DEFLATED, 9)


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    source = sys.argv[1]
    here = os.path.dirname(os.path.abspath(__file__))
    target = sys.argv[2] if len(sys.argv) == 3 else os.path.join(here, "..", "..", "tests", "golden")
    os.makedirs(target, exist_ok=True)
    manifest = json.load(open(os.path.join(source, "manifest.json"), encoding="utf-8"))
    kept = [case for case in manifest["cases"] if case["id"] not in LEFT_OUT]
    left_out_files = {path for case in manifest["cases"] if case["id"] in LEFT_OUT for path in case["files"].values()}
    needed = {path for case in kept for path in case["files"].values()}
    manifest["cases"] = kept
    manifest["counts"] = {kind: sum(case["kind"] == kind for case in kept) for kind in manifest["counts"]}
    lines = ",\n".join(json.dumps(case, ensure_ascii=False) for case in kept)
    head = json.dumps({key: value for key, value in manifest.items() if key != "cases"}, ensure_ascii=False)
    with zipfile.ZipFile(os.path.join(target, "manifest.zip"), "w") as archive:
        add(archive, "manifest.json", head[:-1] + ', "cases": [\n' + lines + "\n]}\n")
    for folder in FOLDERS:
        with zipfile.ZipFile(os.path.join(target, folder + ".zip"), "w") as archive:
            names = sorted(os.path.relpath(os.path.join(root, name), source)
                           for root, _, files in os.walk(os.path.join(source, folder)) for name in files)
            for name in names:
                if name in left_out_files and name not in needed:
                    continue
                with open(os.path.join(source, name), "rb") as file:
                    add(archive, name, file.read())
        print(folder, len(names), os.path.getsize(os.path.join(target, folder + ".zip")))


if __name__ == "__main__":
    main()
