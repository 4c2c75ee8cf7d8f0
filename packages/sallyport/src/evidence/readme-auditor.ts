/**
 * What an auditor reads first: how to check a bundle with a verifier, and without one.
 *
 * @module
 */

export function readmeAuditor({
  tenant,
  from,
  to,
  vkey,
}: {
  readonly tenant: string
  readonly from: string
  readonly to: string
  readonly vkey: string
}): string {
  return `# Evidence of ${tenant}

Period: from ${from}, up to but not including ${to} (UTC).

## Check it in a minute

    sallyport verify bundle.zip --key '${vkey}'

needs no network and no database, says what holds, and names the first file that does not. Ask the owner of the system for
the key by another way than this file: a bundle that brings its own key proves only that it is whole.

## Check it by hand

1. \`manifest.json\` lists every file with its bytes, rows and SHA-256. Compare them with \`sha256sum\`.
2. \`manifest.sig\` is a signed note (C2SP signed-note, Ed25519): its third line is the SHA-256 of \`manifest.json\`.
3. \`data/audit-logs.ndjson\` has a row for each \`seq\` from \`first_seq\` to \`last_seq\` of the manifest. Those that retention
   removed are in \`log/removed.txt\`, with their leaves.
4. The column \`leaf_hash\` of the rows, in order, continues the tree whose subtrees are in \`log/start.txt\`; it comes to
   \`end_root\` of the manifest. \`consistency.txt\` proves that \`checkpoint.end\`, the signed head of the log, begins with that
   tree (RFC 9162). Where the period begins with seq 0, this computes the root:

        import base64, hashlib, json
        rows = [json.loads(line) for line in open('data/audit-logs.ndjson', encoding='utf-8')]
        leaves = [bytes.fromhex(row['leaf_hash']) for row in rows]
        def root(part):
            if not part: return hashlib.sha256(b'').digest()
            if len(part) == 1: return part[0]
            k = 1
            while k * 2 < len(part): k *= 2
            return hashlib.sha256(b'\\x01' + root(part[:k]) + root(part[k:])).digest()
        print(root(leaves).hex())

## What is in it

- \`data/\`: each dataset and report as CSV and as one JSON object a line. In CSV a cell that a spreadsheet would run as a
  formula begins with an apostrophe that is not part of the value.
- \`query/\`: the SQL that each was read by. \`schema/\`: what each column means.
- \`checklist.json\`: the control statements as they were evaluated when the bundle was made.
- \`inclusion/\`: proofs that single rows are in the log (C2SP tlog-proof).
- \`keys/log.vkey\`: the key of the log, to compare with the one that you were given.

Reports and the audit log are of the sealed log, and are byte for byte the same each time that they are asked for. Tables
(sessions, tokens, challenges, access) are as of the instant that the manifest names as \`as_of\`.
`
}
