# Which Python is used, and whether it can be: sourced by build/setup before anything else happens.

# find_fault PYTHON: what is wrong with it, in one sentence; nothing when it will do. It may be a very old one.
find_fault() {
  local found version kind venv better
  if ! found=$("$1" -c '
import platform, sys
try:
    import ensurepip, venv
    venv = "venv"
except ImportError:
    venv = "none"
print("%d.%d %s %s" % (sys.version_info[0], sys.version_info[1], platform.python_implementation(), venv))
' 2>/dev/null); then
    echo "there is no Python that runs as \`$1\`: set PYTHON=/path/to/python3.11 (or 3.12, 3.13)"
    return
  fi
  read -r version kind venv <<<"$found"
  case $version in
    3.11 | 3.12 | 3.13) ;;
    *)
      for better in python3.13 python3.12 python3.11 "/path/to/python3.11 (or 3.12, 3.13)"; do
        "$better" -c '' 2>/dev/null && break
      done
      echo "needs Python 3.11 to 3.13, this is $version: set PYTHON=$better"
      return
      ;;
  esac
  if [ "$kind" != CPython ]; then
    echo "needs CPython, and \`$1\` is $kind: set PYTHON=/path/to/python3.11 (or 3.12, 3.13)"
  elif [ "$venv" != venv ]; then
    echo "\`$1\` lacks the modules venv and ensurepip: install them (Debian, Ubuntu: apt-get install python$version-venv)"
  fi
}
