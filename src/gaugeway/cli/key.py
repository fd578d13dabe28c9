"""`gaugeway key`: the master key that stored provider keys are sealed with."""

from __future__ import annotations

from gaugeway.cli.folder import opened
from gaugeway.cli.options import AsJson, ConfigFile, DataFolder, load_settings
from gaugeway.cli.output import print_json, print_note


def rotate(data: DataFolder = None, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Seal all stored provider keys with a new master key.

    The new one is made and kept in the data folder; servers that run go on with it. Where the setting master_key is
    used, set it to the new one and previous_master_key to the one before, start the servers with both, and then run
    this.
    """
    settings = load_settings(config, data=data)
    with opened(settings) as (stores, _):
        count = stores.provider_configs.rotate()
    if as_json:
        print_json({"sealed": count})
        return
    where = "the one in the settings" if settings.master_key is not None else "a new one"
    print_note(f"{count} stored provider {'key is' if count == 1 else 'keys are'} sealed with {where}.")
