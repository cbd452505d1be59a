#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# test_ctl_guard: what the commands of the guard print, and what they send.
# shellcheck source=tests/lib/ctl.sh
. "$(dirname "$0")/../lib/ctl.sh" "$@"

status='"status":{"would_deny":0,"would_source":1234567,"would_service":0,"table_full":5,"raced":0}'
lists='{"allow":["10.0.0.0/8"],"deny":["192.0.2.1/32","2001:db8::1/128","203.0.113.0/24"],'$status'}'

fresh
can GET $api/guard <<<"$lists"
run guard show
is "guard show" "$rc $out" "0 allow 10.0.0.0/8
deny  192.0.2.1/32
deny  2001:db8::1/128
deny  203.0.113.0/24
1.23M packets: dry run, above a source's limit
5 packets: let through, no place for the source"
run guard show -o name
is "guard show -o name: no counts" "$(tail -n 1 <<<"$out")" "deny  203.0.113.0/24"
fresh
can GET $api/guard <<<'{"allow":[],"deny":[],"status":{}}'
run guard show
has "guard show: what to do" "$rc $out$err" "0 no prefix is listed; to drop what comes from one: sluicectl guard deny PREFIX"
fresh
can GET $api/guard <<<'{"allow":[7,"\u001b[31mx"],"deny":"no"}'
run guard show
is "guard show: an answer that is not one" "$rc $out" "0 allow 
allow ?[31mx"

# ---- lists ------------------------------------------------------------------------------

fresh
can GET $api/guard <<<"$lists"
can PUT $api/guard <<<"$lists"
run guard deny 198.51.100.0/24 10.0.0.0/8
is "guard deny" "$rc $err" "0 prefix 198.51.100.0/24: its packets to services are dropped
prefix 10.0.0.0/8: its packets to services are dropped"
is "guard deny: moved from one list to the other" "$(tail -n 1 "$dir/log")" \
  "PUT /api/v1/guard application/json {\"allow\":[],\"deny\":[\"192.0.2.1/32\",\"2001:db8::1/128\",\"203.0.113.0/24\",\"198.51.100.0/24\",\"10.0.0.0/8\"],$status}"
fresh
can GET $api/guard <<<"$lists"
can PUT $api/guard <<<"$lists"
run guard allow 192.0.2.1 -o name
is "guard allow: an address is a prefix" "$rc $out" "0 192.0.2.1"
has "guard allow: no longer denied" "$(tail -n 1 "$dir/log")" \
  '{"allow":["10.0.0.0/8","192.0.2.1"],"deny":["2001:db8::1/128","203.0.113.0/24"]'
fresh
can GET $api/guard <<<"$lists"
can PUT $api/guard <<<"$lists"
run guard remove 2001:db8::1 10.0.0.0/8 -q
is "guard remove" "$rc $out$err" "0 "
has "guard remove: the request" "$(tail -n 1 "$dir/log")" '{"allow":[],"deny":["192.0.2.1/32","203.0.113.0/24"]'
fresh
can GET $api/guard <<<"$lists"
run guard remove 203.0.113.0/24 203.0.113.0/25
is "guard remove: one that is not listed" "$rc $(head -n 1 <<<"$err")" \
  "3 sluicectl: prefix 203.0.113.0/25 is not listed; nothing was changed"
is "guard remove: nothing was sent" "$(grep -c PUT "$dir/log")" 0
run guard deny
code "guard deny without a prefix" 2

# ---- limits of a service -------------------------------------------------------------------

web=$api/services/web/guard
now='{"dry_run":false,"source":{"packets_per_s":100,"packets_burst":50},"service":{"flows_per_s":9,"flows_burst":9}}'
fresh
can GET "$web" <<<"$now"
run service guard web
is "service guard: shown" "$rc $out" "0 source-packets   100 a second, 50 at once
service-flows    9 a second, 9 at once"
is "service guard: only asked" "$(<"$dir/log")" "GET $web"
fresh
can GET "$web" <<<"$now"
can PUT "$web" <<<'{"dry_run":true}'
run service guard web --source-packets 7/70 --network-flows 5 --service-flows 0 --dry-run on
is "service guard: the answer is shown" "$rc $out" "0 dry-run          on: nothing is dropped
no limits"
is "service guard: what is not named stays" "$(tail -n 1 "$dir/log")" \
  "PUT $web application/json "'{"source":{"packets_per_s":7,"packets_burst":70},"service":{"flows_per_s":0},"dry_run":true,"network":{"flows_per_s":5}}'
fresh
can GET "$web" <<<"$now"
can PUT "$web" <<<'{"dry_run":false}'
run service guard web --off
is "service guard --off" "$rc $(tail -n 1 "$dir/log")" "0 PUT $web application/json {}"
fresh
can GET "$web" <<<"$now"
for bad in "--source-packets x" "--source-flows 1/" "--service-packets -1" "--dry-run yes" \
  "--network-packets 1/2/3" "--source-packets 1.5"; do
  # shellcheck disable=SC2086
  run service guard web $bad
  code "service guard web $bad" 2
done
is "service guard: nothing was sent by any of these" "$(grep -c PUT "$dir/log")" 0
run service guard ../web
code "service guard: not a name" 2
run service guard nobody
code "service guard: no such service" 3

ctl_done
