//! Policy files: the one of the documentation, and what is said of wrong ones.

use haetae_flight_server::Error;
use haetae_flight_server::policy::{Policy, Problem};

const PAGE: &str = include_str!("../../../docs/reference/security.md");

/// The first TOML block of the page.
fn example() -> String {
    let (_, rest) = PAGE.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0.to_owned()
}

fn problems(text: &str) -> Vec<(usize, String)> {
    match Policy::parse("policy.toml", text) {
        Err(Error::Policy { problems, .. }) => {
            problems.into_iter().map(|Problem { line, what }| (line, what)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_documented_policy_can_be_used() {
    let policy = Policy::parse("policy.toml", &example()).unwrap();
    assert_eq!(policy.size(), (4, 4));
    assert_eq!(policy.version.len(), 16);
    assert!(policy.warnings().is_empty());
}

#[test]
fn what_a_filter_of_lines_does_not_hide_is_warned_of() {
    let role = |tables: &str, more: &str| {
        let example = example();
        let (head, rest) = example.split_once("[roles.officer]\n").unwrap();
        let (_, rest) = rest.split_once("[roles.statistician]\n").unwrap();
        let text = format!(
            "{head}[roles.officer]\ntables = [{tables}]\nattributes = [\"office\"]\n{more}\n[roles.statistician]\n{rest}"
        );
        Policy::parse("policy.toml", &text).unwrap().warnings()
    };
    let filter = "rows.\"customs.fact_item\" = \"office_id = $office\"\n";
    let found = role("\"customs.*\"", filter);
    assert_eq!(found.len(), 1, "{found:?}");
    for table in ["fact_declaration", "fact_tax", "fact_payment", "fact_manifest", "fact_amendment", "fact_inspection"]
    {
        assert!(found[0].what.contains(&format!("customs.{table}")), "{found:?}");
    }
    assert!(!found[0].what.contains("person") && !found[0].what.contains("dim_"), "{found:?}");
    let less = role("\"customs.*\"", &format!("{filter}rows.\"customs.fact_tax\" = \"false\""));
    assert!(less.len() == 1 && !less[0].what.contains("fact_tax"), "{less:?}");
    assert!(role("\"customs.fact_item\", \"customs.fact_tax\"", filter).is_empty());
    assert!(role("\"customs.*\"", "rows.\"customs.fact_item\" = \"true\"").is_empty());
    // A column that is masked in lines alone.
    let masked = "[roles.officer.masks.\"customs.fact_item\"]\noffice_id = \"hide\"";
    let found = role("\"customs.*\"", masked);
    assert!(found.len() == 1 && found[0].what.contains("customs.fact_declaration"), "{found:?}");
    assert!(role("\"customs.fact_item\"", masked).is_empty());
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let example = example();
    // (what is replaced, by what, what is said)
    let cases = [
        (
            "role = \"officer\"",
            "role = \"oficer\"",
            "there is no role \"oficer\"; the roles are admin, auditor, officer, statistician",
        ),
        ("admin = true", "admin = 1", "admin must be true or false, found integer"),
        ("admin = true", "adnim = true", "there is no setting \"adnim\" here; the settings are admin, "),
        ("office_id = $office", "ofice_id = $office", "customs.fact_item: "),
        (
            "office_id = $office",
            "office_id like lower($office)",
            "customs.fact_item: in a pattern of LIKE a $name stands",
        ),
        (
            "office_id = $office",
            r"office_id like '4\\' || $office",
            "customs.fact_item: in a pattern of LIKE the text before",
        ),
        ("office_id = $office", "office_id like $office escape '!'", "customs.fact_item: LIKE has no ESCAPE but \\"),
        ("office_id = $office", "office_id like '4!%' escape '!'", "customs.fact_item: LIKE has no ESCAPE but \\"),
        ("office_id = $office", "office_id ~ ('^' || $office)", "customs.fact_item: a $name cannot be in a regular"),
        ("office_id = $office", "office_id similar to $office", "customs.fact_item: a $name cannot be in a regular"),
        ("office_id = $office", "regexp_like(office_id, $office)", "customs.fact_item: a $name cannot be in a regular"),
        ("attributes = { office = \"40\" }", "attributes = { ofice = \"40\" }", "has no attribute office"),
        ("registered_on = \"year\"", "registered_on = \"month\"", "there is no mask \"month\"; write \"show\", "),
        ("registered_on = \"year\"", "registered = \"year\"", "dim_importer.registered: there is no such column"),
        ("access_minutes = 30", "access_minutes = 0", "access_minutes must be a whole number from 1 to 1440"),
        ("$argon2id$", "$argon2i$", "the password is hashed with argon2i, expected argon2id"),
        ("\"*.dim_hs\"", "\"*.dim_hsx\"", "no table is called \"*.dim_hsx\"; write schema.table"),
        (
            "\"criminal_history\"",
            "\"criminal\"",
            "there is no classification \"criminal\"; there are open, identifier, ",
        ),
        ("[users.kim]", "[users.\"kim lee\"]", "\"kim lee\" is no user name"),
    ];
    for (old, new, said) in cases {
        assert!(example.contains(old), "{old}");
        let text = example.replacen(old, new, 1);
        let line = 1 + text[..text.find(new).unwrap()].matches('\n').count();
        let found = problems(&text);
        let fits = |(at, what): &(usize, String)| what.contains(said) && (*at == line || said.contains("attribute"));
        assert!(found.iter().any(fits), "{new}, line {line}: {found:?}");
    }
}

#[test]
fn tables_outside_and_the_catalogue_are_named_one_by_one() {
    let with = |tables: &str, more: &str| {
        let old = "tables = [\"customs.*\"]\n";
        assert!(example().contains(old));
        example().replacen(old, &format!("tables = [\"customs.*\", {tables}]\n{more}\n"), 1)
    };
    let write = "write = [\"meta.datasets\", \"meta.columns\", \"meta.glossary\"]";
    // What is registered later is known by its name alone.
    let masked =
        format!("{write}\nmasks.\"outside.trade\" = {{ name = \"show\" }}\nrows.\"outside.trade\" = \"id > 1\"");
    Policy::parse("policy.toml", &with("\"outside.trade\"", &masked)).unwrap();
    for (tables, more, said) in [
        ("\"outside.*\"", "", "name the tables of the schema outside one by one"),
        ("\"outside.Trade\"", "", "name the tables of the schema outside one by one"),
        ("\"outside.trade\"", "write = [\"outside.trade\"]", "lies outside of the warehouse and is only read"),
        ("\"customs.dim_hs\"", "write = [\"meta.*\"]", "meta.* cannot be in `write`; of the catalogue meta.datasets, "),
        ("\"customs.dim_hs\"", "write = [\"meta.codes\"]", "meta.codes cannot be in `write`"),
        ("\"customs.dim_hs\"", "masks.\"outside.trade\" = { name = \"show\" }", "the role does not show outside.trade"),
    ] {
        let found = problems(&with(tables, more));
        assert!(found.iter().any(|(_, what)| what.contains(said)), "{tables} {more}: {found:?}");
    }
}

#[test]
fn everything_wrong_is_named_at_once() {
    let found = problems(
        "[roles.a]\ntables = [\"customs.nothing\"]\nclear = \"name\"\n\n[roles.b]\nadmin = true\ntables = [\"*\"]\n",
    );
    let lines: Vec<usize> = found.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [1, 2, 3, 7], "{found:?}");
    let found = problems("[roles.a\n");
    assert!(found.len() == 1 && found[0].0 == 1 && found[0].1.starts_with("this is not valid TOML"), "{found:?}");
    let message = Policy::parse("policy.toml", "").unwrap_err().to_string();
    assert_eq!(
        message,
        "the policy policy.toml cannot be used:\n  line 1: there are no users: nobody could log in; add one with `haetae-server user add`"
    );
}
