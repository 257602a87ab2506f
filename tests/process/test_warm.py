"""What is done before the fork: LiteLLM's map of models, read once, says what its file says."""

from __future__ import annotations

import json
import subprocess
import sys

from openclaude.compile.litellm_configs import LITELLM_FLAGS

LOOK = """
import json
from importlib.resources import files

import litellm
from litellm.llms.bedrock import common_utils as bedrock
from openclaude.gateway import warm

name = "model_prices_and_context_window_backup.json"
file = json.loads(files("litellm").joinpath(name).read_text())
own = [litellm.utils.get_bundled_model_cost_map(), bedrock._get_local_model_cost_map()]
warm.share_model_map()
shared = [litellm.utils.get_bundled_model_cost_map(), bedrock._get_local_model_cost_map()]
print(json.dumps({
    "litellm reads the file": own == [file, file],
    "and reads it no more": shared[0] is shared[1],
    "missing": sorted(file.keys() - shared[0].keys()),
    "different": [name for name, entry in shared[0].items() if dict(entry) != file[name]],
}))
"""


def test_the_map_of_models_that_is_shared_is_the_files() -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", LOOK],
        env={"PATH": "/usr/bin:/bin", **LITELLM_FLAGS},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout.splitlines()[-1]) == {
        "litellm reads the file": True,
        "and reads it no more": True,
        "missing": ["fallback_generalizations"],  # no model: rules, which LiteLLM takes out itself
        "different": [],
    }
