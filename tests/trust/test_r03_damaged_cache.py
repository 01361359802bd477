"""R3, a gate. Damage to a good cache: seen at load, healed with one GET; offline, a message."""

import pytest
from click.testing import CliRunner
from mirrors import DAMAGES, NAMES, fetch_and_load, fill, is_right

from fmnist_utils.data import DataError
from fmnist_utils.workshop.cli import main


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_in_the_cache_is_seen_and_healed_with_one_get(
    mirror, small, monkeypatch, files, arrays, name, damage
):
    server = mirror()
    damage(fill(small, files) / name)
    monkeypatch.setenv("FMNIST_OFFLINE", "1")
    with pytest.raises(DataError) as caught:
        fetch_and_load()
    for part in (str(small / name), "fmnist data fetch"):
        assert part in str(caught.value)
    shown = CliRunner().invoke(main, ["data", "fetch"])
    assert shown.exit_code == 2
    assert str(small / name) in shown.output
    assert "Traceback" not in shown.output
    monkeypatch.delenv("FMNIST_OFFLINE")
    assert is_right(fetch_and_load(), arrays) and server.gets == [name]
