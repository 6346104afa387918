// Fetches what the pages take from npm into a folder, and makes it small. The build runs this: node fetch.mjs FOLDER
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

// What a page may ask for, by its name there, and where the package has it.
const wanted = {
  "tabler.css": "@tabler/core/dist/css/tabler.min.css",
  "htmx.js": "htmx.org/dist/htmx.min.js",
  "morph.js": "idiomorph/dist/idiomorph-ext.min.js",
  "uplot.js": "uplot/dist/uPlot.iife.min.js",
  "uplot.css": "uplot/dist/uPlot.min.css",
};

const here = dirname(fileURLToPath(import.meta.url));
const place = process.argv[2].replace(/\/+$/, "");
mkdirSync(dirname(place), { recursive: true });

// Made beside its place and put there whole: two builds at once, or one that is broken off, leave no half of it.
const fresh = mkdtempSync(`${place}-`);
try {
  for (const file of ["package.json", "package-lock.json"]) {
    cpSync(join(here, file), join(fresh, file));
  }

  const npm = spawnSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: fresh, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" });
  if (npm.error || npm.status !== 0) {
    console.error(npm.error?.code === "ENOENT"
      ? "stint-pages : error NPM1: npm is not on the PATH. The pages' styles and scripts come from npm: install it (Debian: apt-get install npm) and build again."
      : "stint-pages : error NPM2: npm could not install what src/Stint.Server/Web/Packages/package-lock.json names. It says why above; with no way to a registry, build on a machine whose npm cache has them.");
    process.exitCode = 1;
  } else {
    mkdirSync(join(fresh, "assets"));
    for (const [name, file] of Object.entries(wanted)) {
      // Their maps are not served, so nobody is sent to look for them.
      const text = readFileSync(join(fresh, "node_modules", file), "utf8").replace(/\n?(\/\/# sourceMappingURL=\S+|\/\*# sourceMappingURL=\S+ \*\/)\s*$/, "\n");
      writeFileSync(join(fresh, "assets", `${name}.br`), brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length } }));
      writeFileSync(join(fresh, "assets", `${name}.gz`), gzipSync(text, { level: 9 }));
    }

    rmSync(join(fresh, "node_modules"), { recursive: true });
    chmodSync(fresh, 0o755);
    rmSync(place, { recursive: true, force: true });
    renameSync(fresh, place);
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
