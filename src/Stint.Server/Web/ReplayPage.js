'use strict';
(() => {
    // The key leaves the address bar before anything else is done; from here on it is in this closure alone.
    const key = location.hash.slice(1);
    history.replaceState(null, '', location.pathname);
    const id = location.pathname.slice(location.pathname.lastIndexOf('/') + 1);

    const find = (name) => document.getElementById(name);
    const make = (tag, text, kind) => {
        const element = document.createElement(tag);
        if (text) { element.textContent = text; }
        if (kind) { element.className = kind; }
        return element;
    };
    const many = (count, one, more) => `${count.toLocaleString()} ${count === 1 ? one : more}`;
    const clock = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
    const time = (at) => {
        const element = make('time', clock.format(new Date(at)));
        element.dateTime = at;
        return element;
    };

    const outcomes = [
        ['refused', 'refused now'],
        ['by_rule', 'without a yes now'],
        ['needs_yes', 'need another yes now'],
        ['shorter', 'for shorter now'],
    ];
    const nowWords = { refused: 'refused', by_rule: 'let in by rule', needs_yes: 'another yes', shorter: 'shorter' };
    const wasWords = { allow: 'let in by rule', deny: 'refused by rule', needs_approval: 'needed a yes' };
    const answerWords = { approved: 'got it', denied: 'somebody said no', pending: 'still waits', cancelled: 'was taken back', lapsed: 'nobody answered' };

    const trouble = (...lines) => {
        find('status').hidden = true;
        const box = find('trouble');
        box.replaceChildren(...lines.map((line) => make('p', line)));
        box.hidden = false;
    };

    const line = (item) => {
        const row = make('tr', '', item.what);
        const person = make('th');
        person.scope = 'row';
        person.append(make('span', item.name || item.subject));
        if (item.name && item.name !== item.subject) { person.append(make('small', item.subject)); }
        const when = make('td', '', 'when');
        when.append(time(item.asked_at), make('small', item.request, 'name'));
        const then = make('td', wasWords[item.before] || item.before, 'then');
        if (item.before === 'needs_approval') { then.append(make('small', answerWords[item.state] || item.state)); }
        const because = make('td', item.because);
        if (item.rules.length) { because.append(make('small', `${item.rules.length === 1 ? 'Rule' : 'Rules'}: ${item.rules.join(', ')}`, 'rules')); }
        if (item.reason) { because.append(make('small', `Asked “${item.reason}”`)); }
        row.append(person, make('td', item.role, 'name'), when, then, make('td', nowWords[item.what] || item.what, 'now'), because);

        // A narrow window shows a line as a block, which would otherwise be a table no more for who listens to it.
        row.setAttribute('role', 'row');
        for (const cell of row.children) { cell.setAttribute('role', cell === person ? 'rowheader' : 'cell'); }
        return { row, what: item.what, text: row.textContent.toLocaleLowerCase() };
    };

    const show = (report) => {
        const total = report.total;
        let only = null;
        const lines = report.items.map(line);
        const buttons = outcomes.filter(([what]) => what !== 'shorter' || total[what] > 0).map(([what, words]) => {
            const button = make('button', '', `number ${what}`);
            button.type = 'button';
            button.setAttribute('aria-pressed', 'false');
            button.disabled = total[what] === 0;
            button.append(make('b', total[what].toLocaleString()), ` ${words}`);
            button.addEventListener('click', () => { only = only === what ? null : what; filter(); });
            button.dataset.what = what;
            return button;
        });
        const same = make('div', '', 'number same');
        same.append(make('b', total.same.toLocaleString()), ' the same as then');
        find('numbers').append(...buttons, same);

        const about = find('about');
        about.replaceChildren(`${many(total.requests, 'request', 'requests')} since `, time(total.since), ', by catalog ', make('code', total.catalog.slice(0, 12)), `. Made by ${report.made_by}, to be opened until `, time(report.ends_at), `. Times in ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`);
        find('caption').textContent = 'Requests that would be answered otherwise, newest first';
        find('lines').append(...lines.map((one) => one.row));

        const text = find('text');
        const filter = () => {
            const words = text.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
            let shown = 0;
            for (const one of lines) {
                one.row.hidden = (only !== null && one.what !== only) || !words.every((word) => one.text.includes(word));
                shown += one.row.hidden ? 0 : 1;
            }

            for (const button of buttons) { button.setAttribute('aria-pressed', String(button.dataset.what === only)); }
            const filtered = only !== null || words.length > 0;
            find('all').hidden = !filtered;
            const out = total.left_out > 0 ? ` ${many(total.left_out, 'more is', 'more are')} counted, not listed.` : '';
            find('status').textContent = lines.length === 0 && total.left_out === 0
                ? 'Every request would be answered as it was.'
                : `${filtered ? `${shown.toLocaleString()} of ${many(lines.length, 'line', 'lines')} shown.` : `${many(lines.length, 'request', 'requests')} would be answered otherwise.`}${out}`;
        };
        let waiting = 0;
        text.addEventListener('input', () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
        find('all').addEventListener('click', () => { only = null; text.value = ''; filter(); text.focus(); });
        filter();
        find('wide').hidden = lines.length === 0;
        document.querySelector('.tools').hidden = lines.length === 0;
        find('report').hidden = false;
    };

    const open = async () => {
        if (!key || !/^rp-[0-9a-z]{12}$/.test(id)) {
            trouble('The address is not whole.', 'Open the whole address that stint printed, with what stands behind the #. After a reload it is gone from the address bar: open the address again.');
            return;
        }

        let answer;
        let report;
        try {
            answer = await fetch(`/api/v1/catalog/replays/${id}`, { headers: { Authorization: `Bearer ${key}` }, cache: 'no-store', credentials: 'omit', redirect: 'error', referrerPolicy: 'no-referrer' });
            report = answer.ok ? await answer.json() : null;
        } catch {
            trouble('The server cannot be reached just now.', 'Open the address again in a moment.');
            return;
        }

        if (report) { show(report); }
        else if (answer.status === 401) { trouble('This report cannot be opened.', 'It was kept for an hour, the address is not whole, or whoever made it may not see it any more. Make another: stint catalog replay FOLDER --web'); }
        else { trouble(`The server answered ${answer.status}.`, 'Open the address again in a moment.'); }
    };
    open();
})();
