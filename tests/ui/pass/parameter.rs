use std::borrow::Cow;

#[airlock::task]
fn send(mut count: u8, #[allow(unused_variables)] unused: u8, text: Cow<'static, str>, pair: (u8, [u8; 2])) {
    count += pair.1[0];
    let _ = (count, text);
}

#[airlock::task]
fn most(
    a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8,
    i: u8, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: u8,
) {
    let _ = [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p];
}

fn main() {
    let intent = send::intent(1, 2, "x".into(), (3, [4, 5]));
    assert_eq!(intent.to_string(), r#"send(count=1, unused=2, text="x", pair=[3,[4,5]])"#);
    assert!(most::intent(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16).to_string().ends_with("p=16)"));
}
