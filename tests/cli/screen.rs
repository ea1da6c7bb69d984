//! A program at a terminal: a pseudo-terminal, and an emulator that knows what stands on the screen.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, PtyPair, PtySize, native_pty_system};
use vt100::{Color, Parser};

use super::place::PATIENCE;

/// Wide enough that no line of the fixtures is broken.
const SIZE: PtySize = PtySize {
    rows: 48,
    cols: 120,
    pixel_width: 0,
    pixel_height: 0,
};

/// A running program with its screen and its keyboard.
pub(crate) struct Screen {
    parser: Parser,
    written: Receiver<Vec<u8>>,
    keyboard: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    _terminal: PtyPair,
}

impl Screen {
    /// Starts a command at a terminal of its own.
    pub(crate) fn start(command: &Command) -> Self {
        let terminal = native_pty_system().openpty(SIZE).unwrap();
        let child = terminal.slave.spawn_command(builder(command)).unwrap();
        let (sender, written) = channel();
        let mut output = terminal.master.try_clone_reader().unwrap();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // The end is an error on Linux.
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                let read = bytes.iter().take(count).copied().collect();
                if sender.send(read).is_err() {
                    return;
                }
            }
        });
        Self {
            parser: Parser::new(size(SIZE.rows), size(SIZE.cols), 0),
            written,
            keyboard: terminal.master.take_writer().unwrap(),
            child,
            _terminal: terminal,
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
        self.keyboard.flush().unwrap();
    }

    /// Waits until the screen has a text, and returns what else is on it.
    pub(crate) fn wait_for(&mut self, text: &str) -> String {
        self.wait_for_all(&[text])
    }

    /// Waits until the screen has all of these texts at once and nothing more is written: a screen comes in pieces, and a
    /// program that has asked for a key has to begin to listen for it.
    pub(crate) fn wait_for_all(&mut self, texts: &[&str]) -> String {
        let start = Instant::now();
        while !texts.iter().all(|text| self.text().contains(text)) {
            assert!(start.elapsed() < PATIENCE, "no {texts:?}:\n{}", self.text());
            self.read(Duration::from_millis(100));
        }
        while self.read(Duration::from_millis(100)) {}
        self.text()
    }

    /// Waits for the end, and returns how it came to it with what was left on the screen.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("still running:\n{}", self.text());
            }
            self.read(Duration::from_millis(20));
        };
        while self.read(Duration::from_millis(200)) {}
        let text = self.text();
        (status, text)
    }

    /// The colour of a text at its first place on the screen.
    pub(crate) fn color(&self, text: &str) -> Color {
        let screen = self.parser.screen();
        let mut rows = screen.rows(0, SIZE.cols).zip(0..);
        let (column, row) = rows
            .find_map(|(line, row)| Some((line.find(text)?, row)))
            .unwrap();
        let cell = screen.cell(row, column.try_into().unwrap());
        cell.unwrap().fgcolor()
    }

    fn read(&mut self, patience: Duration) -> bool {
        let bytes = self.written.recv_timeout(patience);
        bytes.is_ok_and(|bytes| {
            self.parser.process(&bytes);
            true
        })
    }

    fn text(&self) -> String {
        let screen = self.parser.screen().contents();
        let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
        lines.join("\n").trim_end().to_owned()
    }
}

fn size(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).unwrap()
}

fn builder(command: &Command) -> CommandBuilder {
    let mut builder = CommandBuilder::new(command.get_program());
    builder.args(command.get_args());
    builder.env_clear();
    let envs = command.get_envs();
    envs.for_each(|(name, value)| builder.env(name, value.unwrap_or_default()));
    builder.env("TERM", "xterm-256color");
    builder.cwd(command.get_current_dir().unwrap());
    builder
}
