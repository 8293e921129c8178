"""What cells print and show: whole, in order, and with the cell that it belongs to."""

import pytest


def test_each_stream_keeps_its_order(kernel):
    cell = kernel.ok('for i in 0..500 { println!("out {i}"); eprintln!("err {i}"); print!("."); eprint!("!"); }')
    assert cell.stdout == "".join(f"out {i}\n." for i in range(500))
    assert cell.stderr == "".join(f"err {i}\n!" for i in range(500))


def test_an_error_line_that_looks_like_a_failure_is_a_line(kernel):
    # The evaluator writes the error of a failed `?` in this very form.
    cell = kernel.ok('let word = "first"; eprintln!("{}", word); eprintln!("second"); eprintln!("{}", word);')
    assert cell.stderr == "first\nsecond\nfirst\n"


def test_text_and_pictures_keep_their_order(kernel):
    show = 'Chart::bar(&["a".to_string()], &[1.0]).show();'
    cell = kernel.ok(f'print!("one"); {show} println!("two"); {show} {show} print!("three");')
    kinds = [kind for kind in cell.kinds if kind not in ["status", "execute_input"]]
    assert kinds == ["stream", "display_data", "stream", "display_data", "display_data", "stream"]
    assert [m["text"] for m in cell.of("stream")] == ["one", "two\n", "three"]


def test_unfinished_lines_and_carriage_returns_pass(kernel):
    cell = kernel.ok(r'print!("10 %\r"); print!("20 %\r"); print!("\t\x1b[1mend");')
    assert cell.stdout == "10 %\r20 %\r\t\x1b[1mend"
    assert kernel.ok('print!("해태 😀");').stdout == "해태 😀"


def test_text_of_a_cell_arrives_before_the_cell_ends(kernel, tmp_path):
    signal = tmp_path / "go on"
    wait = f'while !std::path::Path::new("{signal}").exists() {{ std::hint::spin_loop(); }}'
    cell = kernel.start(f'println!("early"); {wait} println!("late");')
    assert cell.until("stream")["content"] == {"name": "stdout", "text": "early\n"}
    signal.touch()
    assert cell.end().stdout == "early\nlate\n"


def test_a_picture_with_a_name_is_replaced(kernel):
    cell = kernel.ok(
        'let small = df!("n" => [1]).unwrap();\nsmall.show_as("the table");\n'
        'small.vstack(&small)?.update("the table");\nsmall.show();'
    )
    [first, nameless], [second] = cell.of("display_data"), cell.of("update_display_data")
    assert first["transient"] == second["transient"] == {"display_id": "the table"}
    assert first["data"]["text/plain"].startswith("shape: (1, 1)")
    assert second["data"]["text/plain"].startswith("shape: (2, 1)")
    assert nameless["transient"] == {}
    assert all("text/html" in message["data"] and message["metadata"] == {} for message in [first, second, nameless])


def test_a_name_lives_on_in_later_cells(kernel):
    kernel.ok('df!("n" => [1]).unwrap().show_as("later");')
    [update] = kernel.ok('df!("n" => [1, 2, 3]).unwrap().update("later");').of("update_display_data")
    assert update["transient"] == {"display_id": "later"}


@pytest.mark.parametrize("wait, said", [("true", True), ("false", False)])
def test_output_is_cleared_at_its_place(kernel, wait, said):
    cell = kernel.ok(f'println!("old"); clear_output({wait}); println!("new");')
    assert cell.of("clear_output") == [{"wait": said}]
    kinds = [kind for kind in cell.kinds if kind not in ["status", "execute_input"]]
    assert kinds == ["stream", "clear_output", "stream"]


def test_progress_is_one_picture_that_is_replaced(kernel):
    cell = kernel.ok('{ let mut bar = Progress::new("rows", 4); for _ in 0..4 { bar.advance(1); } }')
    [first], updates = cell.of("display_data"), cell.of("update_display_data")
    assert {m["transient"]["display_id"] for m in updates} == {first["transient"]["display_id"]}
    assert updates[-1]["data"]["text/plain"] == "rows: 100 % (4 of 4)"


def test_a_fit_says_how_far_it_is(kernel):
    cell = kernel.ok(
        "let x: Vec<f64> = (0..300).map(|i| f64::from(i * 37 % 101)).collect();\n"
        "let y: Vec<f64> = x.iter().map(|&x| f64::from(x > 50.0)).collect();\n"
        'let rows = FeatureMatrix::new(vec!["x".into()], vec![x], vec![false])?;\n'
        'let forest = Progress::during("forest", || RandomForest::params().trees(12).fit(&rows, &y))?;'
    )
    [first], updates = cell.of("display_data"), cell.of("update_display_data")
    assert first["data"]["text/plain"] == "forest"
    assert {m["transient"]["display_id"] for m in updates} == {first["transient"]["display_id"]}
    assert updates[-1]["data"]["text/plain"] == "forest, trees: 100 % (12 of 12)"


def test_two_hundred_thousand_lines_arrive_whole(kernel):
    cell = kernel.ok('for i in 0..200_000 { println!("line {i}"); }')
    assert cell.stdout == "".join(f"line {i}\n" for i in range(200_000))


def test_fifty_megabytes_arrive_whole(kernel):
    cell = kernel.ok('for i in 0..50 { println!("{i:02}{}", "x".repeat((1 << 20) - 3)); }')
    assert len(cell.stdout) == 50 << 20
    assert cell.stdout.split("\n")[:-1] == [f"{i:02}" + "x" * ((1 << 20) - 3) for i in range(50)]


def test_more_than_a_page_can_hold_ends_in_a_note(kernel):
    cell = kernel.ok('for _ in 0..80 { println!("{}", "x".repeat((1 << 20) - 1)); } eprintln!("unheard"); 7')
    assert 64 << 20 <= len(cell.stdout) < 66 << 20
    assert "64 MB" in cell.stderr and "unheard" not in cell.stderr
    assert cell.text == "7"
    # The bound is of a cell, not of the kernel.
    assert kernel.ok('println!("next");').stdout == "next\n"


def test_a_thread_that_panics_says_so_and_the_cell_goes_on(kernel):
    cell = kernel.ok('std::thread::spawn(|| if true { panic!("in a thread") }).join().is_err()')
    assert cell.text == "true"
    assert cell.stderr == "a thread panicked: in a thread\n"


def test_threads_print_into_the_cell_that_waits_for_them(kernel):
    cell = kernel.ok(
        "std::thread::scope(|scope| for t in 0..4 { "
        'scope.spawn(move || for i in 0..250 { println!("{t} {i}"); }); });'
    )
    lines = cell.stdout.splitlines()
    for t in range(4):
        assert [line for line in lines if line[0] == str(t)] == [f"{t} {i}" for i in range(250)]
    assert len(lines) == 1000


def test_output_of_cells_in_a_queue_stays_apart(kernel):
    code = 'for i in 0..2_000 {{ println!("{0} {{i}}"); eprintln!("{0} {{i}}"); }} print!("{0} end");'
    requests = {name: kernel.start(code.format(name)) for name in ["one", "two", "three"]}
    for name, request in requests.items():
        cell = request.end()
        expected = "".join(f"{name} {i}\n" for i in range(2_000))
        assert (cell.stdout, cell.stderr) == (f"{expected}{name} end", expected)


def test_bytes_that_are_no_text_are_replaced(kernel):
    cell = kernel.ok(r'std::io::Write::write_all(&mut std::io::stdout(), b"ok \xff\xfe end\n")?; println!("next");')
    assert cell.stdout == "ok \ufffd\ufffd end\nnext\n"


def test_a_character_that_is_cut_off_by_the_end_of_a_cell_is_replaced(kernel):
    cell = kernel.ok(r'std::io::Write::write_all(&mut std::io::stdout(), b"cut \xed\x95")?;')
    assert cell.stdout == "cut \ufffd"
    assert kernel.ok('println!("next");').stdout == "next\n"


PROTOCOL = [
    "EVCXR_EXECUTION_COMPLETE",
    "EVCXR_BEGIN_CONTENT text/plain\nno result\nEVCXR_END_CONTENT",
    # A frame of the kernel's own, with a key that is not this kernel's.
    "\x1b]haetae;k;2;{}\x07",
]


@pytest.mark.parametrize("text", PROTOCOL)
def test_text_that_looks_like_a_protocol_is_text(kernel, text):
    literal = text.replace("\n", r"\n").replace("\x1b", r"\x1b").replace("\x07", r"\x07").replace("{}", "{{}}")
    cell = kernel.ok(f'println!("{literal}"); 5')
    assert cell.stdout == f"{text}\n"
    assert cell.text == "5"
