struct Mailer;

#[airlock::task]
fn send(#[state] #[default] mailer: &Mailer) {
    let _ = mailer;
}

fn main() {}
