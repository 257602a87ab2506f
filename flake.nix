{
  description = "openclaude: Claude Code on the models you choose, one profile at a time";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixpkgs-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;
      eachSystem =
        f:
        lib.genAttrs [ "x86_64-linux" "aarch64-linux" "aarch64-darwin" ] (
          system: f nixpkgs.legacyPackages.${system}
        );
      ours = pkgs: self.packages.${pkgs.stdenv.hostPlatform.system};
      # what the wheel is made of: an edit elsewhere rebuilds nothing
      sources = [
        "pyproject.toml"
        "README.md"
        "LICENSE"
        "openclaude"
        "profiles"
        "share"
        "build/requirements.lock"
        "build/otel.lock"
      ];
      src = builtins.path {
        name = "openclaude-source";
        path = ./.;
        filter =
          path: _:
          let
            here = builtins.substring (builtins.stringLength (toString ./.) + 1) (-1) path;
            begins = start: text: builtins.substring 0 (builtins.stringLength start) text == start;
          in
          builtins.any (
            source: here == source || begins "${source}/" here || begins "${here}/" source
          ) sources;
      };
    in
    {
      packages = eachSystem (pkgs: rec {
        openclaude = pkgs.callPackage ./build/nix/package.nix { inherit src; };
        default = openclaude;
      });

      apps = eachSystem (pkgs: {
        default = {
          type = "app";
          program = "${(ours pkgs).default}/bin/openclaude";
          meta.description = "Run Claude Code through openclaude";
        };
      });

      checks = eachSystem (pkgs: {
        package = (ours pkgs).default;
        # words of ours only: there is no claude in a build
        smoke = pkgs.runCommand "openclaude-smoke" { } ''
          export HOME=$TMPDIR
          ${(ours pkgs).default}/bin/openclaude profiles list --json > $out
          grep -q '"qwen"' $out
          ${(ours pkgs).default}/bin/openclaude compile --profile qwen --json >> $out
          grep -q openclaude-haiku $out
        '';
      });

      devShells = eachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [ pkgs.python313 ];
        };
      });

      overlays.default = final: prev: {
        openclaude = final.callPackage ./build/nix/package.nix { inherit src; };
      };

      formatter = eachSystem (pkgs: pkgs.nixfmt-tree);
    };
}
