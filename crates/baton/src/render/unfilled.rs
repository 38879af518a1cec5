//! The terminal that the live view draws on.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use console::Term;
use indicatif::TermLike;

/// A terminal on which no line is filled up with spaces. `indicatif` fills each line to the edge, so that the next one
/// begins below it. A terminal that is made narrower wraps such lines, and the `^C` that it echoes goes to a line
/// of its own: what is drawn next then leaves the old lines behind. Here a line ends with its text, and the break comes
/// before the next line.
#[derive(Debug)]
pub(super) struct Unfilled<T> {
    terminal: T,
    drawn: Mutex<Drawn>,
}

/// What was written since the last flush. A drawing is for each line its text, then what fills it.
#[derive(Debug, Default)]
struct Drawn {
    lines: usize,
    fills: bool,
}

impl Unfilled<Term> {
    pub(super) fn stderr() -> Self {
        Self::new(Term::buffered_stderr())
    }

    pub(super) fn is_terminal(&self) -> bool {
        self.terminal.is_term()
    }
}

impl<T: TermLike> Unfilled<T> {
    fn new(terminal: T) -> Self {
        Self { terminal, drawn: Mutex::default() }
    }
}

impl<T> Unfilled<T> {
    fn drawn(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: TermLike> TermLike for Unfilled<T> {
    fn width(&self) -> u16 {
        self.terminal.width()
    }

    fn height(&self) -> u16 {
        self.terminal.height()
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.terminal.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.terminal.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.terminal.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.terminal.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.terminal.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        let mut drawn = self.drawn();
        if drawn.fills {
            *drawn = Drawn { lines: drawn.lines + 1, fills: false };
            return Ok(());
        }
        drawn.fills = true;
        if drawn.lines > 0 {
            self.terminal.write_str("\n")?;
        }
        self.terminal.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.terminal.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        *self.drawn() = Drawn::default();
        self.terminal.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Keeps what is written.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl Paper {
        fn put(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }

        fn taken(&self) -> String {
            std::mem::take(&mut self.0.lock().unwrap())
        }
    }

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            20
        }

        fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
            self.put(&format!("[up {lines}]"))
        }

        fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
            self.put(&format!("[down {lines}]"))
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.put(&format!("{text}\n"))
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.put(text)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.put("[clear]")
        }

        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_are_drawn_and_drawn_again_without_spaces_at_their_end() {
        use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
        let paper = Paper::default();
        let terminal = Box::new(Unfilled::new(paper.clone()));
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::term_like(terminal));
        let bar = |name: &'static str| {
            let bar = bars.add(ProgressBar::new_spinner());
            bar.set_style(ProgressStyle::with_template("{prefix} {wide_msg}").unwrap());
            bar.set_prefix(name);
            bar
        };
        let (one, two) = (bar("one"), bar("two"));
        one.tick();
        two.tick();
        paper.taken();
        one.set_message("asked");
        assert!(paper.taken().ends_with("one asked\ntwo "), "redrawn in place");
        bars.println("said\n\nbelow").unwrap();
        let drawn = paper.taken();
        assert!(drawn.ends_with("said\n\nbelow\none asked\ntwo "), "an empty line is one: {drawn}");
        assert!(drawn.starts_with("[up 1][clear][down 1][clear][up 1]"), "{drawn}");
    }
}
