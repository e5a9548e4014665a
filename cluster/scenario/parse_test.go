package scenario

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"capsize/cluster/check"
)

// goodLines hold every command that runs, in each of its forms.
var goodLines = strings.Split(strings.TrimSpace(`
increment
increment 100000
increment 3 via leader
increment via n1
add 5
add -9223372036854775808 via round-robin
add 7 via random
read lease via n2
read
read none
read weak via n3
read linearizable via $old
read strong via leader
read via leader
async increment 2 via n1
async add 1
async read none
load 20/s
load 0.5/s clients 256 via round-robin
load off
kill n1
kill n1,n3
kill all,up,down,leader,followers,random,minority,majority,others,$old
poweroff leader
restart down
pause followers
resume n2
wipe random
snapshot up
clock n1 0.5
clock minority 100
add-node
add-node n9
add-node db-1.eu_west nonvoter
add-node nonvoter
remove-node n5
remove-node n1,n5 keep
promote n5
demote n5
transfer
transfer random
recover n1,n2
isolate n1,n2
partition n1,n2 | n3
partition minority | others
partition n1 | n2 | others
bridge random
ring
heal
heal n1 <-> others
heal n1,n2 -> n3
cut n1 -> n2
cut n1 <-> others only append
cut leader -> followers only append,heartbeat,vote,prevote,snapshot,timeout-now
refuse n1 -> n2
delay n1 -> n2 100ms
delay n1 -> n2 100ms jitter 50ms only vote
lose n1 <-> n2 30%
duplicate n1 -> n2 0%
duplicate n1 -> n2 50% after 1s
duplicate n1 -> n2 50% after 300ms only append
reorder n1 -> n2 12.5%
jam n1 -> n2 only snapshot
bandwidth n1 -> n2 64KB
bandwidth n1 -> n2 1.5MB only snapshot
disk n1 slow 50ms
disk n1 stall
disk n1 fail
disk n1 full
disk n1,n2 lie
disk n1 corrupt
disk n1 corrupt snapshot
apply n1 slow 200ms
apply all ok
set heartbeat 1s
set election 2s
set lease 100ms
disk all ok
chaos
chaos network
chaos network nodes disk membership every 500ms
chaos every 2s
chaos off
soak 10m
soak 1h network nodes disk membership
wait 0s
wait 1h
wait 1.5s
wait leader
wait leader within 5s
wait leader n2
wait leader n2,n3 within 1h
wait no leader
wait no leader within 2s
wait converged
wait converged within 1m
wait value 5
wait value -5 on n1 within 3s
wait value 5 on up
speed 0.01
speed 10000
speed max
speed auto
say hello
say   hello # this is text, too
say.zh 你好，世界
chapter One
step
step and now this
let x = leader
let two-of.them_2 = n1,random
expect value 5
expect value -5 on n1,n2
expect leader n1
expect leader none
expect leader n1,n2
expect role n1 follower
expect role n1 leader
expect role followers candidate
expect role n1 down
expect term = 2
expect term != 2
expect term < 2
expect term <= 2
expect term > 2
expect term >= 2
expect commit >= 5
expect commit = 5 on n1
expect log all same
expect log n1,n3 diverged
expect last ok
expect last failed
expect last unknown
expect ops ok = 5
expect ops failed != 0
expect ops unknown <= 3
expect checks ok
expect violation acked-durable
expect violation election-safety
`), "\n")

// goodSetup hold every command that describes the cluster to start.
var goodSetup = strings.Split(strings.TrimSpace(`
title A title of words # and more
title
title.zh 标题
summary One line # and more
summary.zh-TW 一行
nodes 1
nodes 99
seed -5
storage bolt
storage memory
set heartbeat 2s
set election 2s
set lease 100ms
set latency 0s
set jitter 1ms
set fsync 5ms
set rpc-timeout 500ms
set client-timeout 10s
set prevote off
set prevote on
set sessions off
set snapshot-threshold 10
set trailing-logs 1
`), "\n")

func TestTitleAndSummaryAreTranslated(t *testing.T) {
	s, err := Parse("f", []byte("title.zh 标题\ntitle Title\nsummary Sum # 1\nsummary.zh 总结\nsay x"))
	if err != nil || s.TitleIn.In("zh_CN", s.Title) != "标题" || s.Title != "Title" || s.Summary != "Sum # 1" || s.SummaryIn.In("zh", "") != "总结" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestEveryCommandIsParsed(t *testing.T) {
	tested := map[string]bool{}
	for _, line := range goodSetup {
		if line == "set heartbeat 2s" {
			line += "\nset election 2s" // election must not be shorter
		}
		if _, err := Parse("test", []byte(line+"\nwait 1s")); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		tested[strings.Fields(line)[0]] = true
	}
	for _, line := range slices.Concat(goodLines, goodPrefixes, goodHandLines) {
		for _, spaced := range []string{line, "  \t" + line + " ", line + " \r"} {
			if _, err := Parse("test", []byte("let old = leader\n"+spaced+"\n")); err != nil {
				t.Errorf("%q: %v", spaced, err)
			}
		}
		if _, err := ParseLine(line, []string{"n1", "n2", "n3", "n4", "n5"}, []string{"old"}); err != nil {
			t.Errorf("%q, typed: %v", line, err)
		}
		tested[strings.Fields(line)[0]] = true
	}
	for line := range strings.Lines(goodQuestion) {
		tested[strings.Fields(line)[0]] = true
	}
	for _, c := range declarations() {
		if !tested[c.name] {
			t.Errorf("no good line for %s", c.name)
		}
	}
}

// mistakes are scenarios with one mistake, and the error for it.
var mistakes = []mistake{
	{"", "f:1:1: the scenario has no commands"},
	{"# only\n\n  # comments\n", "f:3:1: the scenario has no commands"},
	{"title T\nnodes 3\n", "f:2:1: the scenario has no commands"},
	{"kil n1", `f:1:1: unknown command "kil" (did you mean kill?); run "capsize commands" for the list`},
	{"ring\n  incremnt", `f:2:3: unknown command "incremnt" (did you mean increment?); run "capsize commands" for the list`},
	{"mxyzptlk", `f:1:1: unknown command "mxyzptlk"; run "capsize commands" for the list`},
	{"Kill n1", `f:1:1: unknown command "Kill" (did you mean kill?); run "capsize commands" for the list`},
	{"kill.zh n1", `f:1:1: unknown command "kill.zh" (did you mean kill?); run "capsize commands" for the list`},
	{"title. hello", `f:1:1: "title." names no language; use title, or title.zh`},
	{"say. hello", `f:1:1: "say." names no language; use say, or say.zh`},
	{"kill", "f:1:5: expected nodes: names like n1,n3, or all, up, down, leader, followers, random, minority, majority or others"},
	{"kill n6", `f:1:6: unknown node "n6" (did you mean n1?); use n1, n2, n3, n4, n5, all, up, down, leader, followers, random, minority, majority or others`},
	{"kill n1,leder", `f:1:6: unknown node "leder" (did you mean leader?); use n1, n2, n3, n4, n5, all, up, down, leader, followers, random, minority, majority or others`},
	{"kill n1,", `f:1:6: unknown node ""; use n1, n2, n3, n4, n5, all, up, down, leader, followers, random, minority, majority or others`},
	{"nodes 12\nkill n13", `f:2:6: unknown node "n13" (did you mean n1?); use n1, …, n12, all, up, down, leader, followers, random, minority, majority or others`},
	{"kill n1 n2", `f:1:9: unexpected "n2": the command ends before it`},
	{"kill $old", `f:1:6: unknown name "$old"; define it with let first`},
	{"let old = n1\nkill $odl", `f:2:6: unknown name "$odl" (did you mean $old?); define it with let first`},
	{"let", "f:1:4: expected a name"},
	{"let a!b = n1", `f:1:5: "a!b" is not a valid name; use 1 to 32 letters, digits, dots, underscores or hyphens`},
	{"let x n1", `f:1:7: expected = after the name, found "n1"`},
	{"let x =", "f:1:8: expected nodes: names like n1,n3, or all, up, down, leader, followers, random, minority, majority or others"},
	{"nodes 0", `f:1:7: "0" is not a number of nodes; use a whole number from 1 to 99`},
	{"nodes 100", `f:1:7: "100" is not a number of nodes; use a whole number from 1 to 99`},
	{"nodes", "f:1:6: expected a number of nodes"},
	{"kill n1\nnodes 3", "f:2:1: nodes comes too late: put it before the first command that runs"},
	{"say hello\ntitle T", "f:2:1: title comes too late: put it before the first command that runs"},
	{"seed x", `f:1:6: "x" is not a seed; use a whole number from -4611686018427387904 to 4611686018427387904`},
	{"storage floppy", `f:1:9: "floppy" is not a storage; use bolt or memory`},
	{"ring\nset latency 5ms", "f:2:5: set latency comes too late: while the cluster runs, only election, heartbeat or lease can change"},
	{"ring\nset latncy 5ms", `f:2:5: "latncy" is not a setting (did you mean latency?); use client-timeout, election, fsync, heartbeat, heartbeats, jitter, latency, lease, pipeline, prevote, rpc-timeout, sessions, snapshot-cure, snapshot-threshold or trailing-logs`},
	{"ring\nset lease", "f:2:10: expected a value for lease"},
	{"ring\nset lease 1", `f:2:11: lease: "1" is not a duration from 5ms to 1h0m0s, like 250ms or 2s`},
	{"ring\nset lease 2s", "f:2:11: lease (2s) is longer than heartbeat (1s): a leader must give up before its followers do"},
	{"set lease 100ms\nring\nset heartbeat 200ms\nset heartbeat 99ms", "f:4:15: lease (100ms) is longer than heartbeat (99ms): a leader must give up before its followers do"},
	{"ring\nset election 2s\nset heartbeat 2s\nset heartbeat 3s", "f:4:15: election (2s) is shorter than heartbeat (3s): a candidate must wait at least as long as a follower"},
	{"duplicate n1 -> n2 5% after 1001ms", "f:1:29: a copy 1.001s later arrives after the RPC timeout of 1s; use 1s or less"},
	{"set rpc-timeout 200ms\nduplicate n1 -> n2 5% after 1s", "f:2:29: a copy 1s later arrives after the RPC timeout of 200ms; use 200ms or less"},
	{"duplicate n1 -> n2 5% later 1s", `f:1:23: unexpected "later" (did you mean after?): the command ends before it`},
	{"apply n1 fast", `f:1:10: "fast" is not a state of the state machine; use slow or ok`},
	{"apply n1 slow", "f:1:14: expected a delay, like 250ms or 2s"},
	{"disk n1 corrupt snapshots", `f:1:17: unexpected "snapshots" (did you mean snapshot?): the command ends before it`},
	{"remove-node n1 keeps", `f:1:16: unexpected "keeps" (did you mean keep?): the command ends before it`},
	{"read leese", `f:1:6: "leese" is not a read level (did you mean lease?); use none, weak, lease, linearizable or strong`},
	{"set prevotes on", `f:1:5: "prevotes" is not a setting (did you mean prevote?); use client-timeout, election, fsync, heartbeat, heartbeats, jitter, latency, lease, pipeline, prevote, rpc-timeout, sessions, snapshot-cure, snapshot-threshold or trailing-logs`},
	{"set prevote", "f:1:12: expected a value for prevote"},
	{"set prevote maybe", `f:1:13: prevote: "maybe" is neither on nor off`},
	{"set latency 2h", `f:1:13: latency: "2h" is not a duration from 0s to 1h0m0s, like 250ms or 2s`},
	{"set heartbeat 2s\nset election 1500ms # too short\nset jitter 1ms\ntitle T\nring", "f:2:14: election (1.5s) is shorter than heartbeat (2s): a candidate must wait at least as long as a follower"},
	{"set election 2s\nset heartbeat 200ms\nnodes 3\nring", "f:2:15: lease (500ms) is longer than heartbeat (200ms): a leader must give up before its followers do"},
	{"title T\nset heartbeat 2s\nring", "f:2:15: election (1s) is shorter than heartbeat (2s): a candidate must wait at least as long as a follower"},
	{"cut n1 -> n1", "f:1:11: n1 has no link to itself; use two nodes"},
	{"  heal n2 <-> n2 # all", "f:1:15: n2 has no link to itself; use two nodes"},
	{"wait leader followers", `f:1:13: "followers" never selects a node that is a leader; write let NAME = followers before, and $NAME here`},
	{"expect leader n1,down within 2s", `f:1:15: "down" never selects a node that is a leader; write let NAME = down before, and $NAME here`},
	{"expect role leader follower within 2s", `f:1:13: "leader" never selects a node that is a follower; write let NAME = leader before, and $NAME here`},
	{"expect role up down", `f:1:13: "up" never selects a node that is down; write let NAME = up before, and $NAME here`},
	{"increment 0", `f:1:11: "0" is not a number of increments; use a whole number from 1 to 100000`},
	{"increment 2 3", `f:1:13: unexpected "3": the command ends before it`},
	{"increment via", "f:1:14: expected a route: leader, round-robin, random or a node"},
	{"add 1.5", `f:1:5: "1.5" is not a number to add; use a whole number from -9223372036854775808 to 9223372036854775807`},
	{"read linear", `f:1:6: "linear" is not a read level; use none, weak, lease, linearizable or strong`},
	{"load 20", `f:1:6: "20" is not a rate; use 0.001/s to 10000/s, like 20/s, or off`},
	{"load NaN/s", `f:1:6: "NaN/s" is not a rate; use 0.001/s to 10000/s, like 20/s, or off`},
	{"load 1/s clients 0", `f:1:18: "0" is not a number of clients; use a whole number from 1 to 256`},
	{"clock n1 NaN", `f:1:10: "NaN" is not a factor; use a number from 0.01 to 100`},
	{"add-node n/6", `f:1:10: "n/6" is not a valid node name; use 1 to 32 letters, digits, dots, underscores or hyphens, but not all, up, down, leader, followers, random, minority, majority, others, round-robin, none or nonvoter`},
	{"add-node $gone", `f:1:10: unknown name "$gone"; define it with let first`},
	{"add-node round-robin", `f:1:10: "round-robin" is not a valid node name; use 1 to 32 letters, digits, dots, underscores or hyphens, but not all, up, down, leader, followers, random, minority, majority, others, round-robin, none or nonvoter`},
	{"partition n1", "f:1:13: expected the other side: | and its nodes, or | others"},
	{"partition n1 |", "f:1:15: expected nodes: names like n1,n3, or all, up, down, leader, followers, random, minority, majority or others"},
	{"partition n1 n2", `f:1:14: unexpected "n2": the command ends before it`},
	{"cut n1", "f:1:7: expected an arrow: -> or <->"},
	{"cut n1 => n2", `f:1:8: "=>" is not an arrow (did you mean ->?); use -> or <->`},
	{"cut n1 -> n2 only", "f:1:18: expected kinds of messages: append, heartbeat, vote, prevote, snapshot, timeout-now"},
	{"cut n1 -> n2 only votes", `f:1:19: unknown kind of message "votes" (did you mean vote?); use append, heartbeat, vote, prevote, snapshot or timeout-now`},
	{"lose n1 -> n2 30", `f:1:15: "30" is not a percentage; use 0% to 100%, like 30%`},
	{"lose n1 -> n2 101%", `f:1:15: "101%" is not a percentage; use 0% to 100%, like 30%`},
	{"delay n1 -> n2 5", `f:1:16: "5" is not a delay; use a duration from 0s to 1h0m0s, like 250ms or 2s`},
	{"bandwidth n1 -> n2 1", `f:1:20: bad rate "1": use bytes per second such as 500B, 64KB or 1.5MB`},
	{"disk n1 slwo 5ms", `f:1:9: "slwo" is not a disk fault (did you mean slow?); use slow, stall, fail, full, lie, corrupt or ok`},
	{"disk n1 slow", "f:1:13: expected a latency, like 250ms or 2s"},
	{"chaos everything", `f:1:7: "everything" is not a kind of fault (did you mean every?); use network, nodes, disk, membership, every or off`},
	{"chaos every 1ms", "f:1:13: an interval of 1ms is too short; use 10ms or more"},
	{"chaos network off", `f:1:15: "off" is not a kind of fault; use network, nodes, disk, membership or every`},
	{"wait", "f:1:5: expected a duration, leader, no leader, converged or value"},
	{"wait 61m", `f:1:6: "61m" is not a duration; use a duration from 0s to 1h0m0s, like 250ms or 2s`},
	{"wait leder", `f:1:6: cannot wait for "leder" (did you mean leader?); use a duration, leader, no leader, converged or value`},
	{"wait leader within 2h", `f:1:20: "2h" is not a time limit; use a duration from 0s to 1h0m0s, like 250ms or 2s`},
	{"wait value", "f:1:11: expected a value"},
	{"wait value 3 withn 3s", `f:1:14: unexpected "withn" (did you mean within?): the command ends before it`},
	{"delay n1 -> n2 5ms jiter 2ms", `f:1:20: unexpected "jiter" (did you mean jitter?): the command ends before it`},
	{"wait value 3 n1", `f:1:14: unexpected "n1": the command ends before it`},
	{"speed 0", `f:1:7: "0" is not a speed; use 0.0001 to 10000, max or auto`},
	{"say", "f:1:4: expected text"},
	{"chapter   ", "f:1:8: expected text"},
	{"expect", "f:1:7: expected an expectation: value, leader, role, term, commit, log, last, ops, checks, violation or refused"},
	{"expect vlaue 3", `f:1:8: "vlaue" is not an expectation (did you mean value?); use value, leader, role, term, commit, log, last, ops, checks, violation or refused`},
	{"expect term 3", `f:1:13: "3" is not a comparison; use =, !=, <, <=, > or >=`},
	{"expect role n1 king", `f:1:16: "king" is not a role; use follower, leader, candidate or down`},
	{"expect last okay", `f:1:13: "okay" is not an outcome (did you mean ok?); use ok, failed or unknown`},
	{"expect checks", "f:1:14: expected ok after checks"},
	{"expect checks violated", `f:1:15: expected ok after checks, found "violated"`},
	{"expect checks ok now", `f:1:18: unexpected "now": the command ends before it`},
	{"expect violation", "f:1:17: expected a check: " + orList(check.Names())},
	{"expect violation acked-durabel", `f:1:18: "acked-durabel" is not a check (did you mean acked-durable?); use ` + orList(check.Names())},
	{"expect log n1,n2 equal", `f:1:18: "equal" is not a relation of logs; use same or diverged`},
	{"expect value 3 on", "f:1:18: expected nodes: names like n1,n3, or all, up, down, leader, followers, random, minority, majority or others"},
	{"ring\nkill \x01", "f:2:6: control character U+0001; a scenario is plain text"},
	{"say a\x1b[31mred", "f:1:6: control character U+001B; a scenario is plain text"},
	{"ring\rring", "f:1:5: control character U+000D; a scenario is plain text"},
	{"ring\nsay caf\xe9", "f:2:8: invalid UTF-8; a scenario is plain text"},
	{"\x7fELF\x02\x01\x01", "f:1:1: control character U+007F; a scenario is plain text"},
	{"say 你好\nkill 你", `f:2:6: unknown node "你"; use n1, n2, n3, n4, n5, all, up, down, leader, followers, random, minority, majority or others`},
	{"say 你好你好 \x00", "f:1:10: control character U+0000; a scenario is plain text"},
	{"say " + strings.Repeat("x", lineMax), "f:1:1001: the line is too long: at most 1000 characters are allowed"},
	{strings.Repeat("ring\n", 2<<20), "f:1:1: the file is too large: 10485760 bytes, at most 1048576 are allowed"},
}

func TestMistakesAreReportedWithTheirPosition(t *testing.T) {
	for _, test := range slices.Concat(mistakes, prefixMistakes, questionMistakes) {
		s, err := Parse("f", []byte(test.text))
		text := test.text[:min(len(test.text), 60)]
		if err == nil {
			t.Errorf("%q is accepted", text)
			continue
		}
		if err.Error() != test.want || s != nil {
			t.Errorf("%q:\n got %s\nwant %s", text, err, test.want)
		}
		var e *Error
		if !errors.As(err, &e) || strings.ContainsAny(e.Message, "\r\n\x00\x1b") {
			t.Errorf("%q: %#v", text, err)
		}
	}
}

func TestTypedLineHasMistakesOfItsOwn(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", "expected a command"},
		{"# nothing", "expected a command"},
		{"nodes 3", "nodes describes a cluster before it starts, and this one is running; put it into a scenario"},
		{"kill n4", `unknown node "n4" (did you mean n1?); use n1, n2, all, up, down, leader, followers, random, minority, majority or others`},
		{"kill $x", `unknown name "$x" (did you mean $y?); define it with let first`},
		{"kill n1\nkill n2", "a command must be a single line"},
		{"say \x1b]52;", "control character U+001B; a scenario is plain text"},
	} {
		if _, err := ParseLine(test.text, []string{"n1", "n2"}, []string{"y"}); err == nil || err.Error() != test.want {
			t.Errorf("%q:\n got %v\nwant %s", test.text, err, test.want)
		}
	}
}

func TestWindowsFileIsParsed(t *testing.T) {
	s, err := Parse("f", []byte("\ufefftitle A title\r\nnodes 3\r\nkill n3\r\n"))
	if err != nil || s.Title != "A title" || s.Nodes != 3 || s.steps[0].command.Text != "kill n3" {
		t.Errorf("%+v, %v", s, err)
	}
}

func FuzzParse(f *testing.F) {
	for _, line := range slices.Concat(goodLines, goodSetup, goodPrefixes, goodHandLines) {
		f.Add(line)
	}
	for _, m := range slices.Concat(mistakes, prefixMistakes, questionMistakes) {
		if len(m.text) < 2000 {
			f.Add(m.text)
		}
	}
	f.Add(goodQuestion)
	for _, name := range Names() {
		data, _ := Builtin(name)
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse("f", []byte(text))
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.File != "f" || e.Line < 1 || e.Column < 1 || e.Message == "" || s != nil {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		var lines []string
		for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
			lines = append(lines, strings.Join(strings.Fields(line), " "))
		}
		again, err := Parse("f", []byte(strings.Join(lines, "\n")))
		if err != nil || len(again.steps) != len(s.steps) || again.Settings != s.Settings || again.Nodes != s.Nodes {
			t.Fatalf("%q is accepted, %q is not: %v", text, lines, err)
		}
	})
}

func BenchmarkParse10000Lines(b *testing.B) {
	var text strings.Builder
	text.WriteString("let old = leader\n")
	for i := range 10_000 {
		fmt.Fprintln(&text, goodLines[i%len(goodLines)])
	}
	data := []byte(text.String())
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Parse("f", data); err != nil {
			b.Fatal(err)
		}
	}
}
