//! The keyboard of a terminal, for what has to be decided by a person.

use std::io::{self, IsTerminal};

use console::{Key as Pressed, Term};

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// One that writes something.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// `^C`.
    Interrupt,
    /// Any other one.
    Other,
}

/// A keyboard, with the screen that belongs to it.
pub struct Keyboard {
    screen: Term,
}

impl Keyboard {
    /// The keyboard, where somebody sits at one: both what is read and what is written is at a terminal.
    #[must_use]
    pub fn attached() -> Option<Self> {
        let screen = Term::stdout();
        (screen.is_term() && io::stdin().is_terminal()).then_some(Self { screen })
    }

    /// Empties the screen.
    pub fn clear(&self) -> io::Result<()> {
        self.screen.clear_screen()
    }

    /// Waits for a key, which is not shown.
    pub fn key(&self) -> io::Result<Key> {
        Ok(match self.screen.read_key_raw()? {
            Pressed::Char(key) => Key::Char(key),
            Pressed::Enter => Key::Enter,
            Pressed::Escape => Key::Escape,
            Pressed::CtrlC => Key::Interrupt,
            _ => Key::Other,
        })
    }

    /// Waits for a line, which the terminal itself shows and lets be edited. `^C` ends the program.
    pub fn line(&self) -> io::Result<String> {
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line.trim().to_owned())
    }
}
