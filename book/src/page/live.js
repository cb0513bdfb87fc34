(async () => {
    let seen = 0;
    let notice;
    for (;;) {
        try {
            const answer = await (await fetch(`/~live?seen=${seen}`)).text();
            const end = answer.indexOf("\n");
            const number = answer.slice(0, end), fault = answer.slice(end + 1);
            notice?.remove();
            if (fault) {
                notice = document.createElement("pre");
                notice.textContent = fault;
                notice.style.cssText = "position:fixed;inset:auto 0 0 0;z-index:99;margin:0;padding:1rem 1.5rem;max-height:60vh;"
                    + "overflow:auto;white-space:pre-wrap;background:#a82a2a;color:#fff;font:500 14px/1.5 monospace";
                document.body.append(notice);
            } else if (number !== String(build)) {
                location.reload();
                return;
            }
            seen = number;
        } catch {
            // The server is being started again.
            await new Promise(resolve => setTimeout(resolve, 1000));
        }
    }
})();
