"""Times one framework for keratin-bench: `worker.py NAME` answers one line of JSON with one, on standard output.

{"op": "hello"} -> {"version": ...} or {"missing": why}
{"op": "prepare", "kind": ..., ...} -> {"names": ways to do it, none if it cannot}
{"op": "sample", "name": way} -> {"ns": nanoseconds a time}
{"op": "peak"} -> {"mib": {way: the most that its first calls took from the system}}

A framework is a module beside this one: NAME_peer.py with VERSION and prepare(task) -> {way: call};
"keras-jax" is keras_peer.py on the backend jax. It gets one
thread, like everyone; between questions it sleeps.
"""

import contextlib
import importlib
import json
import os
import sys
import time
import traceback

sys.dont_write_bytecode = True

for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("JAX_PLATFORMS", "cpu")


SAMPLE_NS = 50e3  # as long as timing.cc's


def memory_kib(key):
    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        for line in status:
            if line.startswith(key):
                return int(line.split()[1])
    return 0


class Sampler:
    """Calls often enough to fill SAMPLE_NS, three times over; what counts is the fastest."""

    def __init__(self, call, times):
        self.call = call
        self.times = times  # that a call does the work
        with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
            file.write("5")  # the peak is what there is now
        before = memory_kib("VmRSS:")
        for _ in range(3):  # Compiles, allocates, finds its kernels.
            first = self.timed(1)
        self.peak_mib = (memory_kib("VmHWM:") - before) / 1024
        self.repeats = max(1, min(1000, int(SAMPLE_NS / max(first * times, 1))))

    def timed(self, repeats):
        call = self.call
        start = time.perf_counter_ns()
        for _ in range(repeats):
            call()
        return (time.perf_counter_ns() - start) / repeats / self.times

    def sample(self):
        # Brings its data back into the near caches, and counts only where it takes so long that they cannot matter.
        first = self.timed(1)
        if first * self.times > 50 * SAMPLE_NS:
            return first
        return min(self.timed(self.repeats) for _ in range(3))


def main():
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What frameworks print is no answer.
    name = sys.argv[1]
    peer, samplers = None, {}
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["op"] == "hello":
                try:
                    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
                    module, _, argument = name.partition("-")
                    if argument:
                        os.environ["KERAS_BACKEND"] = argument
                    peer = importlib.import_module(module + "_peer")
                    answer = {"version": peer.VERSION}
                except Exception as error:  # Whatever keeps it from being measured is the reason given.
                    answer = {"missing": f"{type(error).__name__}: {error}"}
            elif request["op"] == "prepare":
                times = getattr(peer, "TIMES_A_CALL", {}).get(request["kind"], 1)
                samplers = {way: Sampler(call, times) for way, call in peer.prepare(request).items()}
                answer = {"names": list(samplers)}
            elif request["op"] == "peak":
                answer = {"mib": {way: sampler.peak_mib for way, sampler in samplers.items()}}
            else:
                answer = {"ns": samplers[request["name"]].sample()}
        except Exception:
            traceback.print_exc()
            answer = {}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
