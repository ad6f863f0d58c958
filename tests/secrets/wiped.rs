//! What a key leaves behind in the memory of its process: nothing, once all that had it is dropped.

use std::fs::{self, File};
use std::io::{BufRead, Read, Seek, SeekFrom, Write};
use std::path::Path;

use airlock::{Secret, Settings};
use airlock_tests::process::Folder;

airlock::register_executor!("secrets_wiped", |settings| {
    let token = settings.required::<Secret>("token")?;
    Ok(airlock::executor_fn(move |_: airlock::Intent| token.expose().parse::<u64>().map(drop)))
});

/// A key for each way by which one comes in. Behind its beginning it has the way, and what follows stands here with every
/// bit the other way round: the test itself has no key as a whole.
struct Key(&'static str);

/// How long the beginning is, which is not looked for: an allocator writes over that of what it was given back, and is not
/// soon asked for something of this odd size.
const BEGINNING: usize = 150;

/// `-tail-1414`
const TAIL: [u8; 10] = [0xd2, 0x8b, 0x9e, 0x96, 0x93, 0xd2, 0xce, 0xcb, 0xce, 0xcb];

impl Key {
    /// Makes a file of the text, with the key where it has a `%`.
    fn write(&self, text: &str, path: &Path) {
        let mut file = File::create(path).unwrap();
        for byte in text.bytes() {
            match byte {
                b'%' => {
                    file.write_all("-".repeat(BEGINNING).as_bytes()).unwrap();
                    self.turned().into_iter().for_each(|turned| file.write_all(&[!turned]).unwrap());
                }
                _ => file.write_all(&[byte]).unwrap(),
            }
        }
    }

    fn turned(&self) -> Vec<u8> {
        self.0.bytes().map(|byte| !byte).chain(TAIL).collect()
    }

    /// Whether it is anywhere in what this process may write to.
    fn is_in_memory(&self) -> bool {
        let turned = self.turned();
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let ranges = maps.lines().filter_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (start, end) = range.split_once('-').filter(|_| rest.starts_with("rw"))?;
            Some((u64::from_str_radix(start, 16).unwrap(), u64::from_str_radix(end, 16).unwrap()))
        });
        ranges.collect::<Vec<_>>().into_iter().any(|(start, end)| is_between(&mut memory, start, end, &turned))
    }
}

/// Looks through a range, in pieces that overlap.
fn is_between(memory: &mut File, start: u64, end: u64, turned: &[u8]) -> bool {
    let mut piece = vec![0; 1 << 16];
    let mut at = start;
    while at < end {
        let most = usize::try_from(end - at).unwrap().min(piece.len());
        memory.seek(SeekFrom::Start(at)).unwrap();
        // Another thread may have given it back by now.
        if memory.read_exact(&mut piece[..most]).is_err() {
            return false;
        }
        if is_in(&piece[..most], turned) {
            return true;
        }
        at += if most < piece.len() { most as u64 } else { (most - turned.len()) as u64 };
    }
    false
}

/// From one first byte to the next, as the standard library is faster at finding them than anything that is built with
/// the tests.
fn is_in(piece: &[u8], turned: &[u8]) -> bool {
    let mut at = 0;
    while at < piece.len() {
        at += (&piece[at..]).skip_until(!turned[0]).unwrap();
        let there = piece[at - 1..].iter().take(turned.len());
        if there.len() == turned.len() && there.zip(turned).all(|(byte, turned)| *byte == !*turned) {
            return true;
        }
    }
    false
}

/// The key is there as long as the settings are, and not afterwards.
#[track_caller]
fn only_while_it_is_needed(key: &Key, load: impl FnOnce() -> Settings) {
    assert!(!key.is_in_memory(), "`{}` is there before it was read", key.0);
    let settings = load();
    assert!(key.is_in_memory(), "`{}` is not found", key.0);
    drop(settings);
    assert!(!key.is_in_memory(), "`{}` is still there", key.0);
}

#[test]
fn a_key_is_wiped_with_the_last_executor_that_has_it() {
    let folder = Folder::fresh("wiped");
    let path = |name: &str| folder.path().join(name);
    let huey = "executor = \"huey\"\n[huey]\nurl = \"redis://localhost\"\nsalt = \"pepper\"\n";
    let django_q = "executor = \"django_q\"\n[django_q]\nurl = \"redis://localhost\"\n";

    let key = Key("in-a-file-of-settings");
    key.write(&format!("{huey}signed = \"%\"\n"), &path("huey.toml"));
    only_while_it_is_needed(&key, || Settings::loader().file(path("huey.toml")).without_variables().load().unwrap());

    let key = Key("for-django-q");
    key.write(&format!("{django_q}secret_key = \"%\"\n"), &path("django_q.toml"));
    let load = || Settings::loader().file(path("django_q.toml")).without_variables().load().unwrap();
    only_while_it_is_needed(&key, load);

    let key = Key("in-a-file-of-its-own");
    key.write("%\n", &path("key"));
    let variables = || [("AIRLOCK_HUEY__SIGNED_FILE", path("key"))];
    only_while_it_is_needed(&key, || Settings::loader().text("", huey).variables(variables()).load().unwrap());

    let key = Key("in-a-variable");
    key.write("%", &path("value"));
    let variables = || [("AIRLOCK_DJANGO_Q__SECRET_KEY", fs::read_to_string(path("value")).unwrap())];
    only_while_it_is_needed(&key, || Settings::loader().text("", django_q).variables(variables()).load().unwrap());

    let key = Key("of-an-executor-of-ones-own");
    key.write("executor = \"secrets_wiped\"\n[secrets_wiped]\ntoken = \"%\"\n", &path("own.toml"));
    let text = || fs::read_to_string(path("own.toml")).unwrap();
    only_while_it_is_needed(&key, || Settings::loader().text("", text()).without_variables().load().unwrap());
}

/// Where something else is wrong, nothing is made of it.
#[test]
fn a_key_is_wiped_when_the_settings_have_a_mistake() {
    let folder = Folder::fresh("wiped");
    let path = folder.path().join("airlock.toml");
    let key = Key("beside-a-mistake");
    key.write("executor = \"huey\"\n[huey]\nurl = \"redis://localhost\"\nsigned = \"%\"\nno_such_key = 1\n", &path);
    let error = Settings::loader().file(&path).without_variables().load().unwrap_err();
    assert!(error.to_string().contains("no_such_key") && !key.is_in_memory());
}
