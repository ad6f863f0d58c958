#[airlock::task]
fn send(#[name = "from"] sender: String, #[name = "to-whom"] #[redact] to: String) {
    let _ = (sender, to);
}

macro_rules! named {
    ($task:ident $name:literal) => {
        #[airlock::task]
        fn $task(#[name = $name] value: u64, #[name = "other"] #[default = 1] second: u64) {
            let _ = (value, second);
        }
    };
}
named!(count "class");

#[airlock::task]
fn swap(#[name = "right"] left: u8, #[name = "left"] right: u8);

fn main() {
    send(String::new(), String::new());
    let intent = send::intent("ada".to_owned(), "bob".to_owned());
    assert_eq!(intent.to_json().unwrap().get(), r#"{"from":"ada","to-whom":"bob"}"#);
    assert_eq!(count::intent(1, 2).to_json().unwrap().get(), r#"{"class":1,"other":2}"#);
    assert_eq!(swap::intent(1, 2).to_json().unwrap().get(), r#"{"right":1,"left":2}"#);
}
