//! Lists of records. Where there is room, or no terminal, each record is one line. On a narrow terminal the lesser
//! columns go below their record, one after the other until the rest fits, and the last one that stays is wrapped.

use console::measure_text_width;

use super::page::{BESIDE, Page};
use super::style;

/// The indent of what stands below a record.
const BELOW: usize = 4;

/// A column of a list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    head: &'static str,
    /// So wide at least, where a record is one line.
    least: usize,
    /// Spaces after it.
    gap: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Always on the record's first line.
    Stays,
    /// On its first line too, wrapped where it is too long.
    Wraps,
    /// Goes below when the terminal is narrow, the highest rank first, with this word before its value.
    Folds { rank: u8, label: &'static str },
}

impl Column {
    pub(crate) const fn new(head: &'static str, least: usize) -> Self {
        Self { head, least, gap: 1, place: Place::Stays }
    }

    /// The free text of the list: one column at most. What follows it has to fold.
    pub(crate) const fn wraps(self) -> Self {
        Self { place: Place::Wraps, ..self }
    }

    pub(crate) const fn folds(self, rank: u8, label: &'static str) -> Self {
        Self { place: Place::Folds { rank, label }, ..self }
    }

    pub(crate) const fn gap(self, gap: usize) -> Self {
        Self { gap, ..self }
    }

    fn rank(&self) -> Option<u8> {
        match self.place {
            Place::Folds { rank, .. } => Some(rank),
            Place::Stays | Place::Wraps => None,
        }
    }
}

/// One record: a cell for each column, and lines that belong to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) cells: Vec<String>,
    pub(crate) notes: Vec<String>,
}

/// Writes the list to the page. Its width counts only on a terminal: `None` puts each record on one line.
pub(crate) fn write(columns: &[Column], records: &[Record], width: Option<usize>, page: &mut Page) {
    let head = Record { cells: columns.iter().map(|column| style::strong(column.head)).collect(), ..Record::default() };
    let headed = columns.iter().any(|column| !column.head.is_empty());
    let rows: Vec<&Record> = headed.then_some(&head).into_iter().chain(records).collect();
    let longest = rows.iter().map(|row| measure_text_width(&one_line(columns, row))).max().unwrap_or_default();
    let layout = width.filter(|width| longest > *width).map(|width| Layout::of(columns, &rows, width));
    for (at, row) in rows.into_iter().enumerate() {
        match &layout {
            None => page.verbatim(&one_line(columns, row)),
            Some(layout) => layout.write(columns, row, headed && at == 0, page),
        }
        for note in &row.notes {
            page.beside("  ", BELOW, note);
        }
    }
}

fn one_line(columns: &[Column], row: &Record) -> String {
    let mut line = String::new();
    let last = row.cells.iter().rposition(|cell| measure_text_width(cell) > 0).unwrap_or_default();
    for (column, cell) in columns.iter().zip(&row.cells).take(last + 1) {
        pad(&mut line, cell, column.least, column.gap);
    }
    line.truncate(line.trim_end_matches(' ').len());
    line
}

fn pad(line: &mut String, cell: &str, wide: usize, gap: usize) {
    line.push_str(cell);
    let spaces = wide.saturating_sub(measure_text_width(cell)) + gap;
    line.extend(std::iter::repeat_n(' ', spaces));
}

/// Which columns stay on the first line, and how wide each of them is.
struct Layout {
    kept: Vec<(usize, usize)>,
    folded: Vec<usize>,
}

impl Layout {
    fn of(columns: &[Column], rows: &[&Record], width: usize) -> Self {
        let widest = |at: usize| rows.iter().map(|row| measure_text_width(&row.cells[at])).max().unwrap_or_default();
        let needs = |at: usize| match columns[at].place {
            Place::Wraps => widest(at).min(BESIDE),
            Place::Stays | Place::Folds { .. } => widest(at) + columns[at].gap,
        };
        let text = columns.iter().position(|column| column.place == Place::Wraps);
        let mut kept: Vec<usize> = (0..columns.len()).collect();
        // What follows the free text cannot stay beside it.
        kept.retain(|at| text.is_none_or(|text| *at <= text));
        while kept.iter().map(|at| needs(*at)).sum::<usize>() > width {
            let least = kept.iter().copied().filter_map(|at| Some((columns[at].rank()?, at))).max();
            let Some((_, at)) = least else { break };
            kept.retain(|other| *other != at);
        }
        let folded = (0..columns.len()).filter(|at| !kept.contains(at)).collect();
        Self { kept: kept.into_iter().map(|at| (at, widest(at))).collect(), folded }
    }

    fn write(&self, columns: &[Column], row: &Record, is_head: bool, page: &mut Page) {
        let (mut lead, mut text) = (String::new(), "");
        for (at, wide) in &self.kept {
            match columns[*at].place {
                Place::Wraps => text = &row.cells[*at],
                Place::Stays | Place::Folds { .. } => pad(&mut lead, &row.cells[*at], *wide, columns[*at].gap),
            }
        }
        page.beside(if text.is_empty() { lead.trim_end_matches(' ') } else { &lead }, BELOW, text);
        let below: Vec<String> = self.folded.iter().filter_map(|at| below(columns, row, *at)).collect();
        if !below.is_empty() && !is_head {
            page.indented(BELOW, &style::dim(&below.join(", ")));
        }
    }
}

/// A value below its record; nothing where there is none.
fn below(columns: &[Column], row: &Record, at: usize) -> Option<String> {
    let Place::Folds { label, .. } = columns[at].place else { return None };
    let plain = console::strip_ansi_codes(&row.cells[at]).trim().to_owned();
    let value = Some(plain).filter(|value| !value.is_empty() && value != "-")?;
    Some(if label.is_empty() { value } else { format!("{label} {value}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column::new("seat", 8),
        Column::new("model", 10).folds(2, "model"),
        Column::new("pays", 6).folds(1, "paid by"),
        Column::new("here", 0).wraps(),
    ];

    fn records() -> Vec<Record> {
        let record = |cells: [&str; 4]| Record { cells: cells.map(str::to_owned).to_vec(), notes: Vec::new() };
        vec![
            record(["ash", "ash-large-2", "key", &style::good("yes")]),
            record(["日本", "-", "local", "no: the program `nihon` is not on the PATH of this machine"]),
        ]
    }

    fn shown(width: Option<usize>) -> String {
        let mut page = Page::list(width);
        write(COLUMNS, &records(), width, &mut page);
        console::strip_ansi_codes(&page.into_text()).into_owned()
    }

    #[test]
    fn a_record_is_one_line_where_no_terminal_is_or_a_wide_one() {
        let lines = "seat     model      pays   here\n\
                     ash      ash-large-2 key    yes\n\
                     日本     -          local  no: the program `nihon` is not on the PATH of this machine\n";
        assert_eq!(shown(None), lines);
        assert_eq!(shown(Some(90)), lines);
    }

    #[test]
    fn the_lesser_columns_go_below_one_by_one() {
        let first = shown(Some(60));
        assert_eq!(
            first,
            "seat model       pays  here\n\
             ash  ash-large-2 key   yes\n\
             日本 -           local no: the program `nihon` is not on the\n                       PATH of this machine\n"
        );
        let second = shown(Some(45));
        assert_eq!(
            second,
            "seat pays  here\n\
             ash  key   yes\n    model ash-large-2\n\
             日本 local no: the program `nihon` is not on\n           the PATH of this machine\n"
        );
        let third = shown(Some(40));
        assert!(third.starts_with("seat here\nash  yes\n    model ash-large-2, paid by key\n"), "{third}");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 40..90 {
            let text = shown(Some(width));
            assert!(text.lines().all(|line| measure_text_width(line) <= width), "{width}: {text}");
            assert!(text.contains("ash-large-2") && text.contains("machine"), "nothing is lost: {text}");
        }
    }

    #[test]
    fn what_follows_the_free_text_goes_below_first() {
        let columns = [Column::new("", 4).gap(2), Column::new("", 0).gap(2).wraps(), Column::new("", 0).folds(9, "")];
        let cells = ["1a2b", "Is this retry loop safe for every input?", "$0.01 by key"].map(str::to_owned).to_vec();
        let show = |width| {
            let mut page = Page::list(width);
            write(&columns, &[Record { cells: cells.clone(), notes: Vec::new() }], width, &mut page);
            console::strip_ansi_codes(&page.into_text()).into_owned()
        };
        assert_eq!(show(None), "1a2b  Is this retry loop safe for every input?  $0.01 by key\n");
        assert_eq!(show(Some(50)), "1a2b  Is this retry loop safe for every input?\n    $0.01 by key\n");
    }
}
