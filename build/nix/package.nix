# The wheels are those that build/requirements.lock pins (build/nix/wheels.json, written by
# build/nix/wheels.py), fetched by hash and installed into a virtual environment: so a child process
# of ours finds everything by its interpreter alone, and no PYTHONPATH leaks into claude.
{
  lib,
  stdenv,
  fetchPypi,
  python313,
  autoPatchelfHook,
  zlib,
  src,
}:
let
  inherit (stdenv.hostPlatform) system isLinux;
  project = (lib.importTOML ../../pyproject.toml).project;
  wheels = lib.importJSON ./wheels.json;
  version = builtins.head (
    builtins.match ".*__version__ = \"([^\"]+)\".*" (builtins.readFile ../../openclaude/__init__.py)
  );
  # a wheel's name says all that PyPI must be asked: NAME-VERSION-PYTHON-ABI-PLATFORM.whl
  fetchWheel =
    file: sha256:
    let
      part = builtins.elemAt (builtins.filter builtins.isString (
        builtins.split "-" (builtins.substring 0 (builtins.stringLength file - 4) file)
      ));
    in
    fetchPypi {
      inherit sha256;
      pname = part 0;
      version = part 1;
      format = "wheel";
      dist = part 2;
      python = part 2;
      abi = part 3;
      platform = part 4;
    };
  fetch = files: builtins.attrValues (builtins.mapAttrs fetchWheel files);

  python = "${python313}/bin/python3.13";
  # pip wants a wheel's own file name, without the store's hash
  links = dir: files: ''
    mkdir -p ${dir}
    for w in ${toString files}; do n=''${w##*/}; ln -s "$w" ${dir}/"''${n#*-}"; done
  '';
  pip = "install --no-index --no-deps --no-compile --disable-pip-version-check --no-cache-dir";

  shared = [
    "bash-completion/completions/openclaude"
    "zsh/site-functions/_openclaude"
    "fish/vendor_completions.d/openclaude.fish"
    "man/man1/openclaude.1"
  ];

  common = {
    inherit version;
    dontStrip = true;
    strictDeps = true;
    env.SOURCE_DATE_EPOCH = "315532800"; # 1980, the oldest date a zip can hold
  };

  # Our own wheel, built by the build back end of the lock file.
  wheel = stdenv.mkDerivation (
    common
    // {
      pname = "${project.name}-wheel";
      inherit src;
      buildPhase = ''
        runHook preBuild
        ${links "$TMPDIR/build-wheels" (fetch wheels.build.${system})}
        ${python} -m venv --without-pip $TMPDIR/build-env
        PYTHONPATH=$(echo $TMPDIR/build-wheels/pip-*.whl) \
          $TMPDIR/build-env/bin/python -m pip ${pip} $TMPDIR/build-wheels/*.whl
        $TMPDIR/build-env/bin/python -m pip wheel --no-index --no-deps --no-build-isolation \
          --disable-pip-version-check --no-cache-dir --wheel-dir $TMPDIR/dist .
        runHook postBuild
      '';
      installPhase = ''
        runHook preInstall
        mkdir -p $out
        cp $TMPDIR/dist/*.whl $out/
        runHook postInstall
      '';
    }
  );

  venv = stdenv.mkDerivation (
    common
    // {
      pname = "${project.name}-venv";
      dontUnpack = true;
      nativeBuildInputs = lib.optionals isLinux [ autoPatchelfHook ];
      buildInputs = lib.optionals isLinux [
        stdenv.cc.cc.lib
        zlib
      ];
      installPhase = ''
        runHook preInstall
        ${links "$TMPDIR/wheels" (fetch wheels.run.${system})}
        ${links "$TMPDIR/pip" (fetch wheels.build.${system})}
        ${python} -m venv --without-pip $out
        PYTHONPATH=$(echo $TMPDIR/pip/pip-*.whl) \
          $out/bin/python -m pip ${pip} $TMPDIR/wheels/*.whl ${wheel}/*.whl
        # pip notes the build folder's path and hashes of scripts that hold our own store path
        find $out -name direct_url.json -delete
        find $out -name RECORD -exec sed -i '/direct_url\.json,/d; \#^\.\./\.\./\.\./bin/#d' {} +
        $out/bin/python -m compileall -q -s $out --invalidation-mode unchecked-hash $out/lib
        runHook postInstall
      '';
    }
  );
in
stdenv.mkDerivation (
  common
  // {
    pname = project.name;
    dontUnpack = true;
    installPhase = ''
      runHook preInstall
      mkdir -p $out/bin
      ln -s ${venv}/bin/openclaude $out/bin/openclaude
      # the completions and the man page, where a profile's shells and man look for them
      for file in ${toString shared}; do
        mkdir -p $out/share/''${file%/*}
        ln -s ${venv}/share/$file $out/share/$file
      done
      runHook postInstall
    '';
    doInstallCheck = true;
    installCheckPhase = ''
      runHook preInstallCheck
      export HOME=$TMPDIR
      $out/bin/openclaude profiles list --json | grep -q '"openclaude_json"'
      for file in ${toString shared}; do test -s $out/share/$file; done
      runHook postInstallCheck
    '';
    passthru = {
      inherit venv wheel;
    };
    meta = {
      inherit (project) description;
      mainProgram = "openclaude";
      license = lib.licenses.mit;
      sourceProvenance = with lib.sourceTypes; [
        fromSource
        binaryNativeCode # the wheels
      ];
      platforms = builtins.attrNames wheels.run;
    };
  }
)
