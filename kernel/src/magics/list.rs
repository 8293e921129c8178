//! The list of commands: what `%help` shows, and what completion and `NAME?` know of them.

use haetae_display::{Bundle, Table};

/// Every command: how it begins, how it is used, what it does.
pub const COMMANDS: &[(&str, &str, &str)] = &[
    (
        "%%bash",
        "%%bash",
        "run the lines below in bash; only where whoever starts the kernel has set HAETAE_ALLOW_BASH=1",
    ),
    ("%%sql", "%%sql [NAME <<] [--save NAME] [--limit N]", "ask the warehouse; the query stands below"),
    ("%%time", "%%time", "run the cell below it and say how long it took"),
    ("%connect", "%connect", "connect to the server anew and say where it is"),
    (
        "%dep",
        "%dep [--online] CRATE [= \"VERSION\" | = { … }] or %dep PATH",
        "build a crate for later cells; fetched from the registry only with --online",
    ),
    ("%describe", "%describe TABLE", "columns of a table or of a saved query, and what they hold"),
    ("%help", "%help", "this list"),
    ("%load", "%load FILE", "put the text of a file into this cell"),
    ("%opt", "%opt [0-3]", "how far the compiler optimises later cells: 0 compiles fastest, 3 runs fastest"),
    ("%progress", "%progress [on|off]", "whether cells show progress bars"),
    (
        "%sqlplot",
        "%sqlplot bar|box|histogram|line|scatter --table T --column X [--y Y] [--by C] [--agg sum] [--bins N] [--limit N] \
         [--title T]",
        "draw a table or a saved query; the server counts and adds up",
    ),
    ("%tables", "%tables [SCHEMA]", "tables of the warehouse, and what their rows are"),
    ("%time", "%time CODE", "run one line of Rust and say how long it took"),
    ("%vars", "%vars", "your variables and their types"),
];

/// How a command is used.
pub fn usage(command: &str) -> &'static str {
    COMMANDS.iter().find(|(name, _, _)| *name == command).map_or("", |(_, usage, _)| usage)
}

/// All names, for a message.
pub(super) fn known() -> String {
    COMMANDS.iter().map(|(name, _, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The commands, and what is none by its form.
fn lines() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    COMMANDS.iter().copied().chain([("", "NAME?", "what a variable, a command or a name of the toolkit is")])
}

/// The list of commands, as a table.
pub fn help() -> Bundle {
    let rows = lines().map(|(_, usage, does)| vec![Some(usage.to_owned()), Some(does.to_owned())]).collect();
    Table::of_texts(&["command", "what it does"], rows).bundle()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;

    /// After a change, run with HAETAE_UPDATE_SNAPSHOTS=1.
    #[test]
    fn the_page_of_commands_is_what_help_says() {
        let mut page =
            "# Commands of a cell\n\nWhat `%help` lists, made from the kernel: do not edit this page. How each works \
                        in detail: [the kernel](kernel.md).\n\n| command | what it does |\n|---|---|\n"
                .to_owned();
        for (_, usage, does) in lines() {
            let usage = usage.replace('|', "\\|");
            writeln!(page, "| `{usage}` | {does} |").unwrap();
        }
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference/commands.md");
        if std::env::var_os("HAETAE_UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(&path, &page).unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page, "run with HAETAE_UPDATE_SNAPSHOTS=1");
    }
}
