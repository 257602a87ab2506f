"""The zipapp's `__main__`: checks for the Python it was built for, then starts or refuses.

Knows: what the build is for, what runs it. Independent of: everything else. Every Python must be
able to parse this file, even 2.7, so that the message can be displayed.
"""

import os
import sys

# filled in by the build: ("CPython 3.11", "Linux x86_64") and the names of the files
BUILT_FOR = "@BUILT_FOR@"
NAME = "@NAME@"


def find_python():
    """Return the running Python, in the same form as BUILT_FOR."""
    named = getattr(getattr(sys, "implementation", None), "name", "")  # 2.7 has none
    kind = {"cpython": "CPython", "pypy": "PyPy"}.get(named, "another Python")
    threads = "t" if "t" in getattr(sys, "abiflags", "") else ""  # built without the GIL
    system, machine = os.uname()[0], os.uname()[4]
    return "%s %d.%d%s on %s %s" % ((kind,) + sys.version_info[:2] + (threads, system, machine))


def main():
    """Start openclaude, or refuse."""
    found = find_python()
    if found != BUILT_FOR:
        python = BUILT_FOR.split()[1]
        sys.exit(
            "error: this openclaude was built for %s, and this is %s\n\n"
            "hint: run it with `python%s`, or get the `openclaude-*.pyz` for your Python "
            "where you got this one (%s)" % (BUILT_FOR, found, python, NAME)
        )
    # shiv packs modules there; zipimport reads them without unpacking anything
    sys.path.insert(0, os.path.join(sys.argv[0], "site-packages"))
    from openclaude_start import start

    sys.exit(start())


main()
