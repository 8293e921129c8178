"""Programs that we did not write run our kernel: nbconvert, papermill, jupyter console."""

import os
import re

import nbformat
import papermill
import pexpect
import pytest
from haetae_jupyter.rust import ParameterError
from haetae_cells import WAIT
from outside import BIN, good, kill, notebook, run

CELLS = [
    "%%sql offices <<\nselect office_id, count(*) as n from fact_item group by office_id order by office_id limit 3",
    "let total: f64 = offices.numbers(\"n\")?.iter().sum();\ntotal > 0.0",
    'Chart::bar(&offices.texts("office_id")?, &offices.numbers("n")?).title("Items by office")',
    'let mut bar = Progress::new("rows", 400);\nfor _ in 0..400 { bar.advance(1); }',
]


@pytest.fixture
def environment(server, data_folder):
    return server.environment


def written(folder, made, name="in.ipynb"):
    nbformat.write(made, folder / name)
    return name


def outputs(path):
    """Of each code cell that was run, its outputs."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    return [cell.outputs for cell in cells]


def test_nbconvert_stores_tables_charts_and_one_bar(tmp_path, environment):
    name = written(tmp_path, notebook(*CELLS))
    good(tmp_path, "jupyter", "nbconvert", "--execute", "--to", "notebook", "--output", "out", name, environment=environment)
    table, total, chart, bar = outputs(tmp_path / "out.ipynb")
    # Text on stderr would be an output more.
    assert [[out.output_type for out in cell] for cell in (total, chart, bar)] == [
        ["execute_result"], ["execute_result"], ["display_data"],
    ]
    assert [out.name for out in table if out.output_type == "stream"] == []
    assert total[0].data["text/plain"] == "true"
    assert {"application/vnd.plotly.v1+json", "text/plain"} < chart[0].data.keys()
    assert bar[0].data["text/plain"] == "rows: 100 % (400 of 400)"
    assert 'value="400" max="400"' in bar[0].data["text/html"]


def test_nbconvert_makes_a_page_with_the_static_chart_and_the_last_bar(tmp_path, environment):
    name = written(tmp_path, notebook(*CELLS))
    good(tmp_path, "jupyter", "nbconvert", "--execute", "--to", "html", "--output", "out", name, environment=environment)
    page = (tmp_path / "out.html").read_text()
    [bar] = re.findall(r"<progress [^>]*>", page)
    assert 'value="400"' in bar and 'max="400"' in bar
    assert "Items by office" in page and ("<svg" in page or "data:image/svg+xml" in page)
    assert 'data-mime-type="application/vnd.jupyter.stderr"' not in page


def test_papermill_puts_parameters_behind_the_defaults(tmp_path):
    defaults = 'let month: i64 = 1;\nlet office: String = "Seoul".to_string();\nlet rate: f64 = 0.5;'
    made = notebook((defaults, {"tags": ["parameters"]}), "(month, office.clone(), rate, strict)")
    name = written(tmp_path, made)
    words = ["-p", "month", 3, "-p", "office", "Busan", "-p", "rate", "-0.25", "-p", "strict", "True"]
    good(tmp_path, "papermill", "--no-progress-bar", name, "out.ipynb", *words)
    assert outputs(tmp_path / "out.ipynb")[-1][0].data["text/plain"] == '(3, "Busan", -0.25, true)'
    injected = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[1]
    assert injected.metadata.tags == ["injected-parameters"]
    assert injected.source.splitlines() == [
        "// Parameters", "let month: i64 = 3;", 'let office: String = "Busan".to_string();', "let rate: f64 = -0.25;",
        "let strict: bool = true;",
    ]


def test_papermill_parameters_arrive_as_they_were_given(tmp_path):
    # Each is compared with what Rust prints for it; the text holds all that could end a literal, or a cell.
    (tmp_path / "given.yaml").write_text(
        'text: "a \\"b\\" \\\\ {x} \\n%%sql\\n */ // ?\\t\\u202e해태\\0 🦀"\n'
        "smallest: -9223372036854775808\nhuge: 1.0e+300\nnone: null\nnothing: .nan\nendless: -.inf\n"
        "codes: ['010121', \"it's\"]\nweights: [1, 2.5]\ngaps: [1, null]\nrows: [[1], []]\nempty: []\n"
    )
    names = ["smallest", "huge", "none", "nothing", "endless", "codes", "weights", "gaps", "rows", "empty"]
    code = f'println!("{";".join(["{:?}"] * len(names))}", {", ".join(names)});'
    code += "\ntext.chars().map(|c| c as u32).collect::<Vec<_>>()"
    name = written(tmp_path, notebook(("", {"tags": ["parameters"]}), code))
    good(tmp_path, "papermill", "--no-progress-bar", name, "out.ipynb", "-f", "given.yaml")
    said, text = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[-1].outputs
    assert said.text.strip().split(";") == [
        "-9223372036854775808", "1e300", "None", "NaN", "-inf", '["010121", "it\'s"]', "[1.0, 2.5]", "[Some(1), None]",
        "[[1], []]", "[]",
    ]
    given = 'a "b" \\ {x} \n%%sql\n */ // ?\t\u202e해태\0 🦀'
    assert [int(code) for code in re.findall(r"\d+", text.data["text/plain"])] == list(map(ord, given))


def test_papermill_refuses_a_table_before_anything_runs(tmp_path):
    nbformat.write(notebook("1 + 1"), tmp_path / "in.ipynb")
    with pytest.raises(ParameterError, match="parameter 'limits': found a table"):
        papermill.execute_notebook(tmp_path / "in.ipynb", tmp_path / "out.ipynb", {"limits": {"low": 1}})


def test_papermill_lists_the_parameters_of_a_notebook(tmp_path):
    defaults = 'let month: i64 = 1;  // of the year\nlet office = "Seoul".to_string();\nprintln!("{month}");'
    nbformat.write(notebook((defaults, {"tags": ["parameters"]})), tmp_path / "in.ipynb")
    found = papermill.inspect_notebook(tmp_path / "in.ipynb")
    assert list(found) == ["month", "office"]
    assert found["month"] == {"name": "month", "inferred_type_name": "i64", "default": "1", "help": "of the year"}
    assert found["office"]["inferred_type_name"] == "None" and found["office"]["default"] == '"Seoul".to_string()'


def test_papermill_keeps_the_error_of_a_cell_and_fails(tmp_path):
    name = written(tmp_path, notebook('panic!("month {} has no data", 13);', "1 + 1"))
    done = run(tmp_path, "papermill", "--no-progress-bar", name, "out.ipynb")
    assert done.returncode != 0 and "month 13 has no data" in done.stdout
    kept = nbformat.read(tmp_path / "out.ipynb", as_version=4)
    [error] = [out for cell in kept.cells for out in cell.get("outputs", []) if out.output_type == "error"]
    assert "month 13 has no data" in error.evalue


class Console:
    """`jupyter console` in a terminal."""

    def __init__(self, environment):
        # It would ask the terminal where its cursor is, and wait for the answer.
        environment = {**os.environ, **environment, "PROMPT_TOOLKIT_NO_CPR": "1", "TERM": "xterm"}
        self.process = pexpect.spawn(
            str(BIN / "jupyter"), ["console", "--kernel", "haetae"], env=environment, encoding="utf-8", timeout=WAIT,
            dimensions=(60, 160),
        )

    def prompt(self, number):
        """Waits for the prompt of a cell; what was shown until then, without colours and moves of the cursor."""
        self.process.expect(rf"In \[(\x1b\[[\d;]*m)*{number}(\x1b\[[\d;]*m)*\]: ")
        return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", self.process.before)

    def type(self, *lines):
        for line in lines:
            self.process.send(line + "\r")


@pytest.fixture
def console(environment, tmp_path):
    console = Console({**environment, "JUPYTER_CONFIG_DIR": str(tmp_path)})
    yield console
    kill(console.process.pid)
    console.process.close()


def test_a_console_runs_cells_and_goes(console):
    console.prompt(1)
    console.type("1 + 1")
    assert re.search(r"Out\[1\]: 2\b", console.prompt(2))
    # The kernel says that the first line wants another.
    console.type("%%sql", "select 41 + 1 as answer")
    assert re.search(r"answer[\s\S]*42", console.prompt(3))
    console.type('let wrong: u8 = "text";')
    assert "mismatched types" in console.prompt(4)
    console.process.sendeof()
    console.process.expect("exit")
    console.process.send("y\r")
    console.process.expect(pexpect.EOF)
    console.process.close()
    assert console.process.exitstatus == 0
