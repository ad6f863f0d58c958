//! Two mistakes.

struct Mailer;

impl Mailer {
    #[airlock::task]
    fn send(text: &str) {
        let _ = text;
    }
}

fn main() {
    Mailer::send("");
}
