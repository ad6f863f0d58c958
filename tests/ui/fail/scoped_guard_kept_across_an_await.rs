fn spawn(_: impl Future<Output = ()> + Send) {}

fn main() {
    spawn(async {
        let scope = airlock::scope().enter();
        std::future::ready(()).await;
        drop(scope.flush());
    });
}
