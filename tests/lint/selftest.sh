#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# selftest: a small tree without a problem must pass the lint; then one violation of each kind is
# put into it, and each must be reported, at its line, and nothing else.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
: >"$tmp/expected"
tree=$tmp/tree
bsd='SPDX-License-Identifier: BSD-2-Clause'
dual='SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause'

# put PATH: standard input becomes a file of the tree, its folders get a README.
put() {
  mkdir -p "$tree/$(dirname "$1")"
  cat >"$tree/$1"
  d=$(dirname "$1")
  while :; do
    [ -e "$tree/$d/README.md" ] || echo "purpose" >"$tree/$d/README.md"
    [ "$d" != . ] || break
    d=$(dirname "$d")
  done
}
# c PATH: a C file with its first line; h PATH [GUARD]: a header with its guard.
c() {
  { echo "/* $bsd */"; cat; } | put "$1"
}
h() {
  case $1 in
  include/* | lb_kern/*) l=$dual ;;
  *) l=$bsd ;;
  esac
  g=$(echo "${1#include/}" | tr 'a-z/.' 'A-Z__')
  { printf '/* %s */\n#ifndef %s\n#define %s\n\n' "$l" "$g" "$g"; cat; printf '\n#endif\n'; } | put "$1"
}
# expect FILE:LINE TEXT: such a line must be printed.
expect() { echo "$1: $2" >>"$tmp/expected"; }

lint() { python3 -B "$here/lint.py" "$tree" >"$tmp/out" 2>&1; }
fail() {
  echo "lint selftest: $1" >&2
  sed 's/^/  /' "$tmp/out" >&2
  exit 1
}

# ---- a tree in order, with what only looks like a violation --------------------
put Makefile <<E
# $bsd
CFLAGS := -std=gnu11 -Wall -Wextra -Werror -MMD -MP -I. -Iinclude -DSL_VERSION='"1"'
BPF_CFLAGS := -O2 -target bpf -Wall -Wextra -Werror -MMD -MP -I. -Iinclude -I/usr/include/$(cc -print-multiarch)
E
put .clang-format <"$here/../../.clang-format"
put tests/lint/floors.txt <"$here/floors.txt"
h include/sluice/limits.h <<'E'
#define SL_BACKENDS_MAX 32768u
E
h include/sluice/reasons.h <<'E'
/* X(symbol, number, action, label) */
#define SL_REASONS(X)            \
	X(NEXT, 0, NONE, "next") \
	X(SENT, 1, SEND, "sent")

#define SL_REASONS_MAX 64
E
h include/sluice/names.h <<'E'
#define SL_PROG_XDP "sl_xdp"

#define SL_DIRECT_MAPS(X) X(twelve_chars)
E
h lb_kern/platform.h <<'E'
#include <linux/types.h>

#include <sluice/limits.h>

static inline __u32 platform_one(void)
{
	return 1;
}
E
h lb_kern/pkt.h <<'E'
#include "lb_kern/platform.h"
E
h lb_user/base/err.h <<'E'
int sl_err_code(const char *from, int x);
E
c lb_user/base/err.c <<'E'
#include <stdio.h>
#include <stdlib.h>

#include "lb_user/base/err.h"

/* atoi(), sprintf(), dst, real: words in a comment; "quotes too */
static const char *const text = "// no comment, sprintf(x), rs \" /* none";

int sl_err_code(const char *from, int x)
{
	char *realpath_of = realloc(NULL, 1); /* not the word itself */

	free(realpath_of);
	return from == text ? '"' : x;
}
E
h api/server.h <<'E'
struct sl_server; /* the one place where the word is right */
E
put tests/good.sh <<E
#!/bin/bash
# $bsd
list=(a b) # not for sh
echo "\${list[0]}" https://example.org/work-shop
E
put tests/good.py <<E
# $bsd
print("fine")
E
printf '\211PNG\0\377' | put tests/picture.png
put .github/workflow.yml <<'E'
on: push
E
rm "$tree/.github/README.md"
lint || fail "a tree in order is not accepted"
grep -q '^lint: [1-9][0-9]* files, 0 problems$' "$tmp/out" || fail "the last line is missing"

# ---- 1: includes -----------------------------------------------------------------
c lb_user/domain/up.c <<'E'
#include "lb_user/svc/clock.h"
E
expect lb_user/domain/up.c:2 'lb_user/domain/up.c may not include lb_user/svc/clock.h'
h lb_user/svc/clock.h <<'E'
int sl_clock_now(void);
E
c lb_user/svc/deep.c <<'E'
#include "lb_user/dp/pins.h"
E
expect lb_user/svc/deep.c:2 'lb_user/svc/deep.c may not include lb_user/dp/pins.h'
h lb_user/dp/pins.h <<'E'
int sl_pins_open(void);
E
c api/tested.c <<'E'
#include "tests/lib/fake.h"
E
expect api/tested.c:2 'api/tested.c may not include tests/lib/fake.h'
h tests/lib/fake.h <<'E'
int fake(void);
E
c lb_user/base/near.c <<'E'
#include "err.h"
#include "nowhere.h"
E
expect lb_user/base/near.c:2 'write it from the root of the tree: "lb_user/base/err.h"'
expect lb_user/base/near.c:3 '"nowhere.h" is not in the tree'
c lb_user/base/whole.c <<'E'
#include "lb_user/base/err.c"
E
expect lb_user/base/whole.c:2 'lb_user/base/err.c: a .c file is included'
c lb_user/domain/order.c <<'E'
#include <sluice/reasons.h>
#include <unistd.h>
#include <bpf/libbpf.h>
E
expect lb_user/domain/order.c:2 'lb_user/domain/order.c may not include include/sluice/reasons.h'
expect lb_user/domain/order.c:3 '<unistd.h> is not for this floor'
expect lb_user/domain/order.c:4 '<bpf/libbpf.h> belongs to other files'
expect lb_user/domain/order.c:4 '<bpf/libbpf.h> is not for this floor'
c lb_user/domain/now.c <<'E'
void sl_now_say(void);

void sl_now_say(void)
{
	sl_log(3, "now");
}
E
expect lb_user/domain/now.c:6 'sl_log() is not for this floor'
for other in 'lb_user/svc/a.c libmnl/libmnl.h' 'lb_user/svc/b.c curl/curl.h' \
  'api/c.c microhttpd.h' 'lb_user/svc/d.c cjson/cJSON.h' 'lb_user/base/e.c uv.h' \
  'lb_user/svc/f.c bpf/bpf.h'; do
  echo "#include <${other#* }>" | c "${other% *}"
  expect "${other% *}:2" "<${other#* }> belongs to other files"
done
h lb_kern/eth.h <<'E'
#include "lb_kern/ipv4.h"
E
h lb_kern/ipv4.h <<'E'
#include "lb_kern/pkt.h"
E
expect lb_kern/eth.h:5 'lb_kern/ipv4.h does not come before lb_kern/eth.h in the order'
h lb_kern/strange.h <<'E'
#include "lb_kern/pkt.h"
E
expect lb_kern/strange.h:5 'lb_kern/strange.h has no place in the order of lb_kern'
h lb_user/dp/a.h <<'E'
#include "lb_user/dp/b.h"
E
h lb_user/dp/b.h <<'E'
#include "lb_user/dp/a.h"
E
expect lb_user/dp/b.h:5 'includes go in a circle: lb_user/dp/a.h -> lb_user/dp/b.h -> lb_user/dp/a.h'
echo 'ledge lb_kern/** **' >>"$tree/tests/lint/floors.txt"
expect "tests/lint/floors.txt:$(wc -l <"$tree/tests/lint/floors.txt")" 'not a rule: ledge lb_kern/** **'

# ---- 2: headers alone ------------------------------------------------------------
h lb_user/dp/lonely.h <<'E'
uint32_t sl_lonely_count(void);
E
expect lb_user/dp/lonely.h:5 'does not compile alone with gcc'
expect lb_user/dp/lonely.h:5 'does not compile alone with clang'
h lb_kern/csum.h <<'E'
__u32 csum_fold(void);
E
expect lb_kern/csum.h:5 'does not compile alone with clang -target bpf'

# ---- 3: guards and licences --------------------------------------------------------
put lb_user/dp/guard.h <<E
/* $bsd */
#ifndef LB_USER_DP_OTHER_H
#define LB_USER_DP_OTHER_H

#endif
E
expect lb_user/dp/guard.h:2 'include guard: here must be #ifndef LB_USER_DP_GUARD_H'
put include/sluice/open.h <<E
/* $dual */
E
expect include/sluice/open.h:1 'include guard: here must be #ifndef SLUICE_OPEN_H'
echo "/* $dual */" | put lb_user/dp/licence.c
expect lb_user/dp/licence.c:1 'the first line must be "/* SPDX-License-Identifier: BSD-2-Clause */"'
echo "/* $bsd */" | put lb_kern/licence.bpf.c
expect lb_kern/licence.bpf.c:1 'the first line must be "/* SPDX-License-Identifier: GPL-2.0-only OR'
printf '#!/bin/sh\necho\n' | put tests/licence.sh
expect tests/licence.sh:2 'the first line must be "# SPDX'

# ---- 4: names, comments, sizes -----------------------------------------------------
c lb_user/dp/words.c <<'E'
struct sl_pair {
	int real_mac;
	int rs;
	int dst;
	int pckt_len;
	int upstream;
	int VIP_NUM;
	int server_id;
};
E
expect lb_user/dp/words.c:3 'real_mac: we say backend'
expect lb_user/dp/words.c:4 'rs: we say backend'
expect lb_user/dp/words.c:5 'dst: we say backend, or to'
expect lb_user/dp/words.c:6 'pckt_len: we say packet'
expect lb_user/dp/words.c:7 'upstream: we say backend'
expect lb_user/dp/words.c:8 'VIP_NUM: we say service id'
expect lb_user/dp/words.c:9 'server_id: we say backend'
# In pieces, or the lint would report this file.
for later in "TO"DO "FIX"ME; do
  echo "/* $later: later */" | c "lb_user/dp/$later.c"
  expect "lb_user/dp/$later.c:2" "$later: do it"
done
c lb_user/dp/comment.c <<'E'
struct sl_slash {
	int a; // the wrong kind
};
E
expect lb_user/dp/comment.c:3 'a // comment'
c lb_user/dp/export.c <<'E'
int open_it(void);

int open_it(void)
{
	return 0;
}
E
expect lb_user/dp/export.c:4 'open_it is exported'
for call in strcpy strcat sprintf vsprintf atoi gets; do
  printf 'static int x(void)\n{\n\treturn %s(0);\n}\n' $call | c lb_user/dp/poison_$call.c
  expect lb_user/dp/poison_$call.c:4 "$call has no bound"
done
{
  printf 'static int long_one(int x)\n{\n'
  i=0
  while [ $((i += 1)) -le 58 ]; do printf '\tx++;\n'; done
  printf '}\n'
} | c lb_user/dp/long.c
expect lb_user/dp/long.c:2 'long_one has 61 lines, more than 60'
{
  i=0
  while [ $((i += 1)) -le 450 ]; do echo '/* line */'; done
} | c lb_user/dp/file.c
expect lb_user/dp/file.c:451 '451 lines, more than 450'

# ---- 5: reasons and names ----------------------------------------------------------
h include/sluice/reasons.h <<'E'
#define SL_REASONS(X)            \
	X(NEXT, 0, NONE, "next") \
	X(SENT, 2, SEND, "sent") \
	X(BAD, 3, TOSS, "bad")   \
	X(BAD, 4, DROP, "worse") \
	X(LAST, 5, DROP, "sent")

#define SL_REASONS_MAX 4
E
expect include/sluice/reasons.h:1 '6 reasons, more than SL_REASONS_MAX'
h include/sluice/decap.h <<'E'
/* X(symbol, number, action, label) */
#define SL_DECAP_REASONS(X)      \
	X(NEXT, 0, NONE, "next") \
	X(OTHER, 2, PASS, "other")

#define SL_DECAP_REASONS_MAX 1
E
expect include/sluice/decap.h:1 '3 reasons, more than SL_DECAP_REASONS_MAX'
expect include/sluice/decap.h:8 'reason OTHER has number 2, not 1'
expect include/sluice/reasons.h:7 'reason SENT has number 2, not 1'
expect include/sluice/reasons.h:8 'reason BAD: action TOSS is none of'
expect include/sluice/reasons.h:9 'reason symbol BAD stands in line 8 too'
expect include/sluice/reasons.h:10 'reason label sent stands in line 7 too'
h include/sluice/names.h <<'E'
#define SL_PROG_XDP "sl_sixteen_chars"

#define SL_DIRECT_MAPS(X) X(thirteen_char)
E
expect include/sluice/names.h:5 'sl_sixteen_chars has 16 characters; the kernel keeps 15'
expect include/sluice/names.h:7 'sl_thirteen_char has 16 characters'
put lb_kern/long.bpf.c <<E
/* $dual */
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
} sl_map_of_sixteen SEC(".maps");

MAPS_DIRECT(thirteen_char, int)

SEC("xdp")
int sl_prog_of_sixteen(void *ctx)
{
	return 0;
}
E
expect lb_kern/long.bpf.c:6 'sl_map_of_sixteen has 17 characters'
expect lb_kern/long.bpf.c:8 'sl_thirteen_char has 16 characters'
expect lb_kern/long.bpf.c:11 'sl_prog_of_sixteen has 18 characters'

# ---- 6, 7: scripts, formatting -----------------------------------------------------
printf '#!/bin/sh\n# %s\nlist=(a b)\n' "$bsd" | put tests/array.sh
expect tests/array.sh:3 'sh -n: Syntax error'
printf '#!/bin/bash\n# %s\n[[ a\n' "$bsd" | put tests/bash-tool
expect tests/bash-tool:3 'bash -n: '
printf '# %s\nx = (\n' "$bsd" | put tests/bad.py
expect tests/bad.py:2 'python3: '
echo x | put tests/__pycache__/good.cpython-311.pyc
rm "$tree/tests/__pycache__/README.md"
expect tests/__pycache__/good.cpython-311.pyc:1 'compiled Python'
printf 'struct sl_shape {\n    int a;\n};\n' | c lb_user/dp/shape.c
expect lb_user/dp/shape.c:2 'not formatted from here on'

# ---- 8, 9: READMEs, machine paths --------------------------------------------------
echo x | put deploy/config/x.json
rm "$tree/deploy/config/README.md"
expect deploy/config/README.md:1 missing
for home in "wo"rk "ro"ot; do
  echo "path=/$home/x" | put "deploy/$home.txt"
  expect "deploy/$home.txt:1" 'a path of one machine'
done

lint && fail "problems, but exit status 0"
n=$(wc -l <"$tmp/expected")
while IFS= read -r wanted; do
  grep -qF -- "$wanted" "$tmp/out" || fail "not reported: $wanted"
done <"$tmp/expected"
grep -vF -f "$tmp/expected" "$tmp/out" | grep -v '^lint: ' >"$tmp/more" &&
  fail "reported without cause: $(cat "$tmp/more")"

# ---- a check that finds nothing to look at says so -----------------------------------
tree=$tmp/bare
h include/sluice/reasons.h <<'E'
#define SL_REASONS(X)
E
lint && fail "a tree without rules is accepted"
for wanted in 'floors.txt:1: missing' 'reasons.h:1: no row' 'Makefile:1: does not tell'; do
  grep -qF "$wanted" "$tmp/out" || fail "not reported: $wanted"
done
find "$here" -name '*.pyc' | grep . && fail "compiled Python was left behind"
echo "lint: selftest: $n violations, all reported"
