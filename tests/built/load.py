"""Run by `python -I -S -B` for one built function: load its handler as Lambda would, and tell what that loaded.

Arguments: the handler's name, then the folders that Lambda would search, in its order. It knows nothing of this
repository: what is not in those folders or in the standard library is missing here as it would be in the cloud.
"""

import importlib
import json
import sys

compiled: list[object] = []
sys.addaudithook(lambda event, arguments: compiled.append(arguments[1]) if event == "compile" else None)
handler, *folders = sys.argv[1:]
sys.path[:0] = folders
module, _, name = handler.rpartition(".")
print(  # noqa: T201  (the answer)
    json.dumps(
        {
            "callable": callable(getattr(importlib.import_module(module), name)),
            "files": {
                name: module.__file__ for name, module in sys.modules.items() if getattr(module, "__file__", None)
            },
            "compiled": [name for name in compiled if isinstance(name, str) and name.endswith(".py")],
        }
    )
)
