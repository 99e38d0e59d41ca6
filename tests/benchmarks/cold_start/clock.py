"""Run by `python -I -S` in a fresh process: run a program, and print last how many seconds of CPU it took.

Arguments: the program, then the folders that Lambda would search, in its order.
"""

import sys
import time

program, *folders = sys.argv[1:]
sys.path[:0] = folders
with open(program, "rb") as source:  # noqa: PTH123  (pathlib would be loaded before the clock starts)
    code = compile(source.read(), program, "exec")
begun = time.process_time()
exec(code, {"__name__": "__main__"})  # noqa: S102  (our own program)
print(time.process_time() - begun)
