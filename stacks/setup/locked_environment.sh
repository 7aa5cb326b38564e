# shellcheck shell=bash disable=SC2154 # variables of `setup`, which sources this
# A virtual environment for tools that live apart from vaern's own: NAME in the tools directory, from NAME.lock.

locked_environment_inputs() { # NAME
  local python
  python=$(find_python)
  "$python" --version
  echo "$python $tools"
  cat "$setup_dir/$1.lock" "$setup_dir/locked_environment.sh"
}

locked_environment_make() { # NAME
  local place=$tools/$1
  local pip=("$place/bin/python" -m pip --disable-pip-version-check --no-input)
  rm -rf "$place"
  "$(find_python)" -m venv "$place"
  "${pip[@]}" install --require-hashes --no-deps --only-binary :all: -r "$setup_dir/$1.lock"
  "${pip[@]}" check
}

locked_environment_add() { # NAME LOCK: packages that come as source, built by what is in the environment
  local pip=("$tools/$1/bin/python" -m pip --disable-pip-version-check --no-input)
  "${pip[@]}" install --require-hashes --no-deps --no-build-isolation -r "$setup_dir/$2.lock"
  "${pip[@]}" check
}
