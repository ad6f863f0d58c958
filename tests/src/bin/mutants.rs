//! Breaks the library on purpose, one line at a time, and shows that a test catches each break.
//!
//! ```text
//! cargo run -p airlock-tests --bin mutants -- all
//! cargo run -p airlock-tests --bin mutants -- 3            three drawn at random
//! cargo run -p airlock-tests --bin mutants -- title WORD   those whose title has the word
//! ```
//!
//! The breaks stand in `tests/mutants.md`. They are applied to a copy of the workspace below the target folder, which has
//! a target folder of its own: to cargo the two workspaces look the same, and a broken library must not be taken for the
//! real one. It starts with what is built already.

#![allow(clippy::print_stdout, reason = "a program for people")]

use std::error::Error;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output};

/// One break and the test that is to catch it.
#[derive(Debug)]
struct Mutant {
    title: String,
    file: String,
    binary: String,
    filter: String,
    old: String,
    new: String,
}

type Res<T> = Result<T, Box<dyn Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(missed) => {
            println!("{missed} breaks were not caught");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Res<usize> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().ok_or("no workspace")?.to_owned();
    let all = parse(&fs::read_to_string(root.join("tests/mutants.md"))?)?;
    // Of all, whichever are drawn: one that breaks nothing any more is found at once.
    all.iter().try_for_each(|mutant| original(mutant, &root).map(drop))?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chosen = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["all"] => all,
        ["title", word] => all.into_iter().filter(|mutant| mutant.title.contains(word)).collect(),
        ["part", part] => part_of(all, part)?,
        [count] => draw(all, count.parse()?),
        _ => return Err("usage: mutants all | mutants COUNT | mutants title WORD | mutants part 1/3".into()),
    };
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let copy = target.join("mutants");
    copy_workspace(&root, &copy)?;
    let target = start_target(&target)?;

    let mut missed = 0;
    for mutant in &chosen {
        let caught = check(mutant, &root, &copy, &target)?;
        missed += usize::from(!caught);
        println!("{} {}", if caught { "caught" } else { "MISSED" }, mutant.title);
    }
    println!("{} passed, {missed} failed", chosen.len() - missed);
    Ok(missed)
}

fn parse(text: &str) -> Res<Vec<Mutant>> {
    let mut mutants = Vec::new();
    for part in text.split("\n### ").skip(1) {
        let title = part.lines().next().unwrap_or_default().to_owned();
        let quoted: Vec<&str> = part.lines().nth(2).unwrap_or_default().split('`').skip(1).step_by(2).collect();
        let side =
            |sign: char| part.lines().find_map(|line| line.strip_prefix(sign)).map(|line| line.trim().to_owned());
        let ([file, binary, filter], Some(old), Some(new)) = (&quoted[..], side('-'), side('+')) else {
            return Err(format!("tests/mutants.md: `{title}` is not of the form described at its top").into());
        };
        let (file, binary, filter) = ((*file).to_owned(), (*binary).to_owned(), (*filter).to_owned());
        mutants.push(Mutant { title, file, binary, filter, old, new });
    }
    Ok(mutants)
}

fn draw(mut all: Vec<Mutant>, count: usize) -> Vec<Mutant> {
    let random = RandomState::new();
    all.sort_by_key(|mutant| random.hash_one(&mutant.title));
    all.truncate(count);
    all
}

/// Every so manyth of them: several runs, each with a target folder of its own, share them all.
fn part_of(all: Vec<Mutant>, part: &str) -> Res<Vec<Mutant>> {
    let (nth, of) = part.split_once('/').ok_or("a part is like 1/3")?;
    let (nth, of): (usize, usize) = (nth.parse()?, of.parse()?);
    Ok(all.into_iter().skip(nth.checked_sub(1).ok_or("parts count from 1")?).step_by(of).collect())
}

fn copy_workspace(root: &Path, copy: &Path) -> Res<()> {
    if copy.exists() {
        fs::remove_dir_all(copy)?;
    }
    let listed =
        Command::new("git").args(["ls-files", "-z", "-co", "--exclude-standard"]).current_dir(root).output()?;
    for file in String::from_utf8(listed.stdout)?.split_terminator('\0').filter(|file| root.join(file).is_file()) {
        let to = copy.join(file);
        fs::create_dir_all(to.parent().unwrap_or(copy))?;
        fs::copy(root.join(file), to)?;
    }
    Ok(())
}

/// The copy's target folder, with what is built in that of the workspace; in place of what an earlier run left.
fn start_target(built: &Path) -> Res<PathBuf> {
    let own = built.join("mutants-target");
    if own.exists() {
        fs::remove_dir_all(&own)?;
    }
    fs::create_dir_all(own.join("debug"))?;
    for part in ["deps", "build", ".fingerprint"] {
        // With the times of the files, by which cargo goes. Without them, all is built once more, and as well.
        let from = built.join("debug").join(part);
        let copied = Command::new("cp").arg("-a").arg(&from).arg(own.join("debug")).output()?;
        if from.exists() && !copied.status.success() {
            return Err(format!("cp: {}", String::from_utf8_lossy(&copied.stderr)).into());
        }
    }
    Ok(own)
}

/// The file as it is, with the one line to break in it.
fn original(mutant: &Mutant, root: &Path) -> Res<String> {
    let original = fs::read_to_string(root.join(&mutant.file))?;
    let places = original.lines().filter(|line| line.trim() == mutant.old).count();
    if places != 1 {
        return Err(format!("{}: the line to break is there {places} times in {}", mutant.title, mutant.file).into());
    }
    Ok(original)
}

/// Whether the named test passes on the library as it is and fails on the broken one.
fn check(mutant: &Mutant, root: &Path, copy: &Path, target: &Path) -> Res<bool> {
    let original = original(mutant, root)?;
    let broken = original
        .split_inclusive('\n')
        .map(|line| if line.trim() == mutant.old { line.replace(&mutant.old, &mutant.new) } else { line.to_owned() })
        .collect::<String>();
    fs::write(copy.join(&mutant.file), broken)?;
    let built = test(mutant, copy, target, &["--no-run"])?;
    if mutant.filter == "compiles" {
        fs::write(copy.join(&mutant.file), original)?;
        return Ok(!built.status.success());
    }
    if !built.status.success() {
        return Err(format!("{}: doesn't compile:\n{}", mutant.title, String::from_utf8_lossy(&built.stderr)).into());
    }
    let tested = test(mutant, copy, target, &["--", &mutant.filter])?;
    fs::write(copy.join(&mutant.file), original)?;
    let told = String::from_utf8_lossy(&tested.stdout);
    if told.contains("running 0 tests") {
        return Err(format!("{}: there is no test `{}`", mutant.title, mutant.filter).into());
    }
    Ok(!tested.status.success())
}

fn test(mutant: &Mutant, copy: &Path, target: &Path, arguments: &[&str]) -> Res<Output> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // With all features, as the suite is built: what needs none is tested no worse.
    let command: &[&str] = match &*mutant.binary {
        "airlock" => &["test", "-p", "airlock", "--all-features", "--lib"],
        binary => &["test", "-p", "airlock-tests", "--all-features", "--test", binary],
    };
    Ok(Command::new(cargo).args(command).args(arguments).current_dir(copy).env("CARGO_TARGET_DIR", target).output()?)
}
