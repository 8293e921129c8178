//! Charts of every kind: the figure against a stored one, the SVG as a document.
//!
//! After a wanted change, run with HAETAE_UPDATE_SNAPSHOTS=1 and read the difference.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod markup;

use std::path::PathBuf;

use haetae_plots::{Chart, Error};
use serde_json::Value;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// One chart of each kind, with what is easily got wrong: missing values, labels that look like
/// numbers, marks of XML.
fn gallery() -> Vec<(&'static str, Chart)> {
    let codes = texts(&["010121", "640399", "R&D <x>"]);
    let offices = texts(&["Busan", "인천"]);
    vec![
        ("bar", Chart::bar(&codes, &[3.0, f64::NAN, 1.5]).title("Items & \"more\"").y_label("items")),
        (
            "bars",
            Chart::bar(&codes, &[0.1, 0.2, 0.3])
                .name("2023")
                .add_bar("2024", &codes[..2], &[0.2, -0.1])
                .add_line_by("target", &codes, &[0.15; 3])
                .percent_y(),
        ),
        ("barh", Chart::barh(&offices, &[1.2e9, 4e8]).x_label("customs value, KRW").size(500, 300)),
        ("line", Chart::line(&[0.0, 1.0, 2.0, 3.0], &[1.0, f64::NAN, 4.0, f64::INFINITY]).x_label("days")),
        ("line_by", Chart::line_by(&texts(&["2024-01", "2024-02"]), &[1.0, 2.0])),
        (
            "scatter",
            Chart::scatter(&[1.0, 2.0, 3.0], &[10.0, 0.0, 1000.0])
                .add_line("fit", &[1.0, 3.0], &[10.0, 900.0])
                .add_scatter("flagged", &[2.0], &[50.0])
                .log_y(),
        ),
        ("histogram", Chart::histogram(&[0.0, 0.5, 1.0, 1.0, f64::NAN, 4.0], 4).title("Scores")),
        (
            "boxes",
            Chart::boxes(&codes, &[vec![1.0, 2.0, 3.0, 4.0, 50.0], vec![f64::NAN], vec![2.0, 2.5]]).y_label("KRW a kg"),
        ),
        ("heatmap", Chart::heatmap(&codes, &offices, &[vec![0.1, 0.2, f64::NAN], vec![0.3, 0.4, 0.5]]).percent_y()),
    ]
}

#[test]
fn groups_of_points_are_series_in_the_order_of_their_names() {
    let groups = texts(&["red", "green", "red"]);
    let chart = Chart::scatter_by(&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0], &groups).title("lanes");
    let by_hand = Chart::scatter(&[2.0], &[5.0]).name("green").add_scatter("red", &[1.0, 3.0], &[4.0, 6.0]);
    assert_eq!(chart.json(), by_hand.title("lanes").json());
    let short = Chart::scatter_by(&[1.0, 2.0], &[4.0, 5.0], &groups).check().unwrap_err();
    assert!(matches!(short, Error::Lengths { first_count: 2, second_count: 3, .. }), "{short}");
    assert_eq!(Chart::scatter_by(&[], &[], &[]).check(), Err(Error::Empty));
}

#[test]
fn figures_are_as_stored() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/figures");
    for (name, chart) in gallery() {
        let path = folder.join(format!("{name}.json"));
        let figure: Value = serde_json::from_str(&chart.json()).unwrap();
        let text = serde_json::to_string_pretty(&figure).unwrap() + "\n";
        if std::env::var_os("HAETAE_UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(text == stored, "{name} is not as in {}:\n{text}", path.display());
    }
}

#[test]
fn every_picture_is_a_document() {
    for (name, chart) in gallery() {
        let svg = chart.svg();
        markup::check(&svg).unwrap_or_else(|fault| panic!("{name}: {fault}\n{svg}"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name}: {svg}");
        assert_eq!(svg, chart.svg(), "{name} differs from one drawing to the next");
    }
}

#[test]
fn a_picture_shows_what_the_chart_holds() {
    let svg = |name: &str| gallery().into_iter().find(|(found, _)| *found == name).unwrap().1.svg();
    let bars = svg("bar");
    // The ground and two bars: the missing value has none.
    assert_eq!(markup::elements(&bars, "rect"), 3);
    for text in ["Items &amp; &quot;more&quot;", "R&amp;D &lt;x&gt;", ">010121<", ">items<"] {
        assert!(bars.contains(text), "{text} is not in {bars}");
    }
    // The ground, three swatches, three and two bars.
    assert_eq!(markup::elements(&svg("bars"), "rect"), 9);
    assert!(svg("bars").contains(">30%<") && svg("bars").contains(">target<"));
    assert!(svg("barh").contains("width=\"500\" height=\"300\"") && svg("barh").contains("1.2B"));
    // The ground and two boxes: the group without a number has none.
    assert_eq!(markup::elements(&svg("boxes"), "rect"), 3);
    // The ground, five cells, and 32 steps of the scale.
    assert_eq!(markup::elements(&svg("heatmap"), "rect"), 38);
}

#[test]
fn a_bar_is_as_long_as_its_value() {
    let svg = Chart::bar(&texts(&["a", "b"]), &[10.0, 5.0]).svg();
    let heights: Vec<f64> = svg
        .split("<rect x=")
        .skip(1)
        .map(|rect| rect.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap())
        .collect();
    assert_eq!(heights.len(), 2);
    assert!((heights[0] / heights[1] - 2.0).abs() < 0.01, "{heights:?}");
}

#[test]
fn the_bundle_has_three_representations() {
    let bundle = gallery().remove(1).1.bundle();
    let types: Vec<&str> = bundle.keys().map(String::as_str).collect();
    assert_eq!(types, ["application/vnd.plotly.v1+json", "image/svg+xml", "text/plain"]);
    let figure = &bundle["application/vnd.plotly.v1+json"];
    assert!(figure["data"].is_array() && figure["layout"].is_object() && figure["config"].is_object());
    assert_eq!(figure["data"][1]["y"][2], Value::Null);
    assert_eq!(bundle["text/plain"], "Bar chart: 3 labels; series 2023, 2024, target; values −10% to 30%");
}

#[test]
fn a_chart_that_cannot_be_drawn_says_why() {
    let chart = Chart::bar(&texts(&["a"]), &[1.0, 2.0]).title("x").add_line("y", &[], &[]);
    let error = chart.check().unwrap_err();
    assert!(matches!(error, Error::Lengths { first_count: 1, second_count: 2, .. }), "{error}");
    let bundle = chart.bundle();
    assert!(!bundle.contains_key("application/vnd.plotly.v1+json"));
    for mime in ["image/svg+xml", "text/plain"] {
        let text = bundle[mime].as_str().unwrap();
        assert!(text.contains("cannot be drawn") && text.contains("labels and values"), "{text}");
    }
    markup::check(&chart.svg()).unwrap();
    assert_eq!(chart.json(), "null");
    assert!(gallery().iter().all(|(_, chart)| chart.check().is_ok()));
}

#[test]
fn odd_data_are_drawn_too() {
    let many: Vec<String> = (0..500).map(|n| format!("a long label, number {n}")).collect();
    let values: Vec<f64> = (0..500).map(|n| f64::from(n) - 250.0).collect();
    let charts = [
        Chart::bar(&many, &values),
        Chart::barh(&many, &values).size(160, 160).title("a title that is far too long for so small a picture"),
        Chart::line_by(&many, &values).log_y(),
        Chart::line(&[1.0], &[-1.0]).log_y(),
        Chart::line(&[f64::MIN, f64::MAX], &[f64::MAX, f64::MIN]),
        Chart::scatter(&[0.0; 3], &[1e-300; 3]),
        Chart::histogram(&[0.0; 4], 7).log_y(),
        Chart::boxes_of(&many, &vec![[-1.0, 0.0, 1.0, 10.0, f64::MAX]; 500]).log_y(),
        Chart::heatmap(&many, &many[..1], std::slice::from_ref(&values)),
        Chart::bar(&texts(&["", "\u{1}"]), &[0.0, 0.0]),
    ];
    for chart in charts {
        let svg = chart.svg();
        markup::check(&svg).unwrap_or_else(|fault| panic!("{fault}\n{svg}"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        assert!(svg.len() < 400_000, "{} bytes", svg.len());
    }
}
