"""`%sqlplot`: the server counts, the notebook gets a chart. The judge is a query of the test's own."""

import json

import numpy as np
import pytest

PLOTLY = "application/vnd.plotly.v1+json"


def drawn(kernel, arguments):
    """The figure of a plot."""
    cell = kernel.ok(f"%sqlplot {arguments}")
    [result] = cell.of("execute_result")
    assert result["data"]["image/svg+xml"].startswith("<svg") and cell.stderr == ""
    return result["data"][PLOTLY], result["data"]["text/plain"], cell.stdout


def rows(kernel, query, most=1000):
    """A query's rows, as lists of texts."""
    lines = kernel.ok(f"%%sql --limit {most}\n{query}").text.splitlines()
    return [line.split() for line in lines[3:]]


def test_bars_are_counts_by_size(kernel):
    figure, text, note = drawn(kernel, "bar --table fact_item --column office_id --limit 3")
    expected = rows(kernel, "select office_id, count(*) from fact_item group by 1 order by 2 desc, 1 limit 3")
    [trace] = figure["data"]
    assert [[x, str(int(y))] for x, y in zip(trace["x"], trace["y"])] == expected
    number = rows(kernel, "select count(distinct office_id) from fact_item")[0][0]
    assert note == f"3 of {number} values of office_id are drawn; --limit draws more\n"
    assert text.startswith("Bar chart: 3 labels") and figure["layout"]["yaxis"]["title"]["text"] == "rows"


def test_bars_of_an_aggregate_by_series(kernel):
    arguments = "bar --table fact_item --column office_id --y item_price_krw --agg max --by process_type --limit 100"
    figure, _, note = drawn(kernel, arguments)
    expected = rows(kernel, "select process_type, office_id, max(item_price_krw) from fact_item group by 1, 2")
    expected = {(series, office): float(price) for series, office, price in expected}
    found = {
        (trace["name"], office): price
        for trace in figure["data"]
        for office, price in zip(trace["x"], trace["y"])
        if price is not None
    }
    assert found == pytest.approx(expected) and note == ""


def test_a_histogram_is_counted_on_the_server(kernel):
    figure, text, _ = drawn(kernel, "histogram --table fact_item --column net_mass_kg --bins 7")
    [trace] = figure["data"]
    low, high = map(float, rows(kernel, "select min(net_mass_kg), max(net_mass_kg) from fact_item")[0])
    assert sum(trace["y"]) == 2_000 and len(trace["y"]) == 7
    assert "2000 values in 7 bins" in text
    width = (high - low) / 7
    first = rows(kernel, f"select count(*) from fact_item where net_mass_kg < {low + width}")[0][0]
    assert trace["y"][0] == int(first)


def test_a_line_follows_dates_and_numbers(kernel):
    figure, _, _ = drawn(kernel, "line --table fact_item --column declaration_date --y item_price_krw")
    [trace] = figure["data"]
    assert trace["x"] == sorted(trace["x"]) and len(trace["x"][0]) == len("2024-01-01")
    total = rows(kernel, "select sum(item_price_krw) from fact_item")[0][0]
    assert sum(trace["y"]) == pytest.approx(float(total))
    figure, text, _ = drawn(kernel, "line --table fact_item --column item_no")
    assert all(isinstance(x, float) for x in figure["data"][0]["x"]) and text.startswith("Line chart")


def test_dots_are_rows(kernel):
    arguments = "scatter --table fact_item --column net_mass_kg --y item_price_krw --by transport_mode --limit 50"
    figure, text, note = drawn(kernel, arguments)
    assert sum(len(trace["x"]) for trace in figure["data"]) == 50
    assert "first 50 rows" in note and text.startswith("Scatter plot: 50 points")


def test_boxes_are_quartiles_and_whiskers(kernel):
    figure, text, note = drawn(kernel, "box --table fact_item --column item_price_krw --by transport_mode")
    [trace] = figure["data"]
    assert trace["type"] == "box" and "y" not in trace and text.startswith(f"Box plot: {len(trace['x'])} labels")
    prices = {}
    for mode, price in rows(kernel, "select transport_mode, item_price_krw from fact_item", most=5_000):
        prices.setdefault(mode, []).append(float(price))
    assert sorted(trace["x"]) == sorted(prices) and len(prices) > 1
    outside = 0
    for at, mode in enumerate(trace["x"]):
        lower, middle, upper = np.percentile(prices[mode], [25, 50, 75])
        within = [p for p in prices[mode] if lower - 1.5 * (upper - lower) <= p <= upper + 1.5 * (upper - lower)]
        outside += len(prices[mode]) - len(within)
        found = [trace[part][at] for part in ("lowerfence", "q1", "median", "q3", "upperfence")]
        assert found == pytest.approx([min(within), lower, middle, upper, max(within)])
    assert note == f"{outside} values beyond the whiskers are not drawn\n" and outside > 0


def test_one_box_for_all_and_fewer_than_there_are(kernel):
    figure, _, _ = drawn(kernel, "boxplot --table fact_item --column net_mass_kg")
    assert figure["data"][0]["x"] == [""] and figure["layout"]["yaxis"]["title"]["text"] == "net_mass_kg"
    figure, _, note = drawn(kernel, "box --table fact_item --column net_mass_kg --by office_id --limit 2")
    largest = rows(kernel, "select office_id from fact_item group by 1 order by count(*) desc, 1 limit 2")
    assert [[office] for office in figure["data"][0]["x"]] == largest
    assert note.startswith("2 of ") and "values of office_id are drawn; --limit draws more\n" in note


def test_a_saved_query_is_drawn_and_expressions_are_columns(kernel):
    kernel.ok("%%sql --save plotted_items\nselect * from fact_item where item_price_krw > 0")
    arguments = "bar -t plotted_items -c \"date_part('year', declaration_date)\" --title 'Items a year'"
    figure, _, _ = drawn(kernel, arguments)
    assert figure["layout"]["title"]["text"] == "Items a year"
    # In their own order, not by size.
    assert figure["data"][0]["x"] == sorted(figure["data"][0]["x"])


def test_nulls_have_a_bar(kernel):
    figure, _, _ = drawn(kernel, "bar --table fact_item --column seller_id --limit 10000")
    assert "null" in figure["data"][0]["x"]


def test_all_values_alike_are_one_interval(kernel):
    kernel.ok("%%sql --save alike\nselect 3.0 as x union all select 3.0")
    figure, _, _ = drawn(kernel, "histogram --table alike --column x")
    assert (figure["data"][0]["x"], figure["data"][0]["y"]) == ([3.0], [2])


@pytest.mark.parametrize(
    "arguments, name, part",
    [
        ("bar --table fact_item --column no_such_column", "SqlError", "no_such_column"),
        ("bar --table no_such_table --column x", "SqlError", "no_such_table"),
        ("histogram --table fact_item --column office_id", "PlotError", "`office_id` is str"),
        ("box --table fact_item --column office_id", "PlotError", "`office_id` is str"),
        ("bar --table fact_item --column office_id --y hs6", "PlotError", "`hs6` is str"),
        ("histogram --table \"(select 1.0 as x where false) as none\" --column x", "PlotError", "no row with a value"),
        ("pie --table fact_item --column office_id", "MagicError", "bar, box, histogram, line, scatter"),
        ("bar --column office_id", "MagicError", "needs --table"),
        ("", "MagicError", "%sqlplot bar|box|histogram"),
    ],
)
def test_what_cannot_be_drawn_is_said(kernel, arguments, name, part):
    kernel.fails(f"%sqlplot {arguments}", name, part)


def test_a_chart_leaves_no_variable(kernel):
    before = kernel.ok("%vars").text
    drawn(kernel, "bar --table fact_item --column office_id")
    assert kernel.ok("%vars").text == before


def test_labels_are_only_texts(kernel):
    kernel.ok("%%sql --save odd\nselect '<b>\"\\' || chr(10) as x")
    figure, _, _ = drawn(kernel, "bar --table odd --column x")
    assert "&lt;b&gt;" in json.dumps(figure)
