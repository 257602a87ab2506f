# A stand-in for nixpkgs, made of the host's own sh, coreutils and Python: it lets Nix evaluate and
# really build this project's flake where neither GitHub nor the public binary cache can be reached.
# It has only the names our flake uses; it says nothing about the real nixpkgs (see docs/nix.md).
# @python@, @path@ and @wheels@ are put in by build/nix/test.
{
  outputs =
    { self }:
    let
      hostPath = "@path@";
      hostPython = "@python@"; # a prefix with bin/python3.13

      lib = {
        genAttrs =
          names: f:
          builtins.listToAttrs (
            map (name: {
              inherit name;
              value = f name;
            }) names
          );
        optionals = c: xs: if c then xs else [ ];
        importTOML = p: builtins.fromTOML (builtins.readFile p);
        importJSON = p: builtins.fromJSON (builtins.readFile p);
        licenses.mit.spdxId = "MIT";
        sourceTypes = {
          fromSource = { };
          binaryNativeCode = { };
        };
      };

      pkgsFor =
        system:
        let
          setup = builtins.toFile "setup.sh" ''
            set -euo pipefail
            export PATH=${hostPath} HOME=/homeless-shelter TMPDIR=$NIX_BUILD_TOP
            cd "$NIX_BUILD_TOP"
            runHook() { eval "''${!1-}"; }
            phase() { if [ -n "''${!1-}" ]; then eval "''${!1}"; fi; }
            if [ -z "''${dontUnpack-}" ] && [ -n "''${src-}" ]; then
              cp -r "$src" source && chmod -R u+w source && cd source
            fi
            phase buildPhase
            phase installPhase
            if [ -n "''${doInstallCheck-}" ]; then phase installCheckPhase; fi
          '';
          mkDerivation =
            a:
            let
              attrs =
                builtins.removeAttrs a [
                  "env"
                  "passthru"
                  "meta"
                ]
                // (a.env or { });
              drv = derivation (
                attrs
                // {
                  name = a.name or "${a.pname}-${a.version}";
                  inherit system;
                  builder = "/bin/bash";
                  args = [
                    "-c"
                    "source ${setup}"
                  ];
                }
              );
            in
            drv
            // (a.passthru or { })
            // {
              meta = a.meta or { };
            };
          hook = name: derivation {
            inherit name system;
            builder = "/bin/sh";
            args = [
              "-c"
              "${hostPython}/bin/python3.13 -c 'import os; os.mkdir(os.environ[\"out\"])'"
            ];
          };
          pkgs = {
            inherit lib;
            callPackage = f: a: let g = import f; in g (builtins.intersectAttrs (builtins.functionArgs g) pkgs // a);
            stdenv = {
              inherit mkDerivation;
              cc.cc.lib = hook "no-cc-lib";
              hostPlatform = {
                inherit system;
                isLinux = builtins.match ".*-linux" system != null;
              };
            };
            # where the real one downloads, this takes the file that pip has downloaded; the hash, and
            # with it everything that depends on the file, is the same
            fetchPypi =
              {
                pname,
                version,
                format,
                dist,
                python,
                abi,
                platform,
                sha256,
              }:
              assert format == "wheel" && dist == python;
              derivation {
                inherit system;
                name = "${pname}-${version}-${python}-${abi}-${platform}.whl";
                builder = "/bin/sh";
                args = [
                  "-c"
                  "${hostPython}/bin/python3.13 -c 'import os, shutil; shutil.copyfile(\"@wheels@/\" + os.environ[\"name\"], os.environ[\"out\"])'"
                ];
                outputHashMode = "flat";
                outputHashAlgo = "sha256";
                outputHash = sha256;
              };
            runCommand =
              name: env: cmd:
              mkDerivation (env // { inherit name; dontUnpack = true; installPhase = cmd; });
            mkShell = a: mkDerivation { name = "shell"; dontUnpack = true; installPhase = "echo > $out"; };
            python313 = hostPython;
            autoPatchelfHook = hook "no-autopatchelf";
            zlib = hook "no-zlib";
            nixfmt-tree = hook "no-nixfmt-tree";
          };
        in
        pkgs;
    in
    {
      inherit lib;
      legacyPackages = lib.genAttrs [ "x86_64-linux" "aarch64-linux" "aarch64-darwin" ] pkgsFor;
    };
}
