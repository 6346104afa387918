// What another implementation makes of Unicode's form KC: every character that it changes, and random strings of those and of marks.
const later = '897-897,cf3-cf3,ece-ece,1acf-1add,1ae0-1aeb,a7f1-a7f1,105c9-105c9,105e4-105e4,10d69-10d6d,10efa-10eff,11241-11241,11383-11383,11385-11385,1138e-1138e,11391-11391,113b8-113c0,113c2-113c2,113c5-113c5,113c7-113ca,113cc-113d0,113d2-113d2,113e1-113e2,11b60-11b67,11f00-11f01,11f03-11f03,11f34-11f3a,11f3e-11f42,11f5a-11f5a,13440-13440,13447-13455,1611e-1612f,16d68-16d6a,1ccd6-1ccf9,1e030-1e06d,1e08f-1e08f,1e4ec-1e4ef,1e5ee-1e5ef,1e6e3-1e6e3,1e6e6-1e6e6,1e6ee-1e6ef,1e6f5-1e6f5'
    .split(',').map(range => range.split('-').map(end => parseInt(end, 16)));

// Characters that came after Unicode 14 stay as they are here, whatever a newer implementation makes of them.
const known = (after => point => !after.has(point))(new Set(later.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i))));
const changed = [];
const marks = [];
for (let point = 0; point < 0xe1000; point++) {
    if (point === 0x40000) {
        point = 0xe0000;
    }

    if ((point >= 0xd800 && point < 0xe000) || !known(point)) {
        continue;
    }

    const text = String.fromCodePoint(point);
    const form = text.normalize('NFKC');
    if (form !== text) {
        changed.push([text, form]);
    }

    if (/\p{M}/u.test(text)) {
        marks.push(text);
    }
}

const parts = [...new Set(changed.flatMap(([text]) => [...text.normalize('NFKD'), text]).concat([...'aeiouAEIOU\u1100\u1161\u11a8\u1112\u1175\u11c2\uac00\ud7a3\uac01']))];
let seed = 2026;
const random = below => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0, Math.floor((seed / 2 ** 32) * below));
const strings = Array.from({ length: 10000 }, () => {
    const text = Array.from({ length: 1 + random(8) }, () => (random(2) ? marks[random(marks.length)] : parts[random(parts.length)])).join('');
    return [text, text.normalize('NFKC')];
});
const hex = text => [...text].map(one => one.codePointAt(0).toString(16)).join(' ');
process.stdout.write([...changed, ...strings].map(([text, form]) => `${hex(text)};${hex(form)}`).join('\n') + `\n${changed.length}`);
