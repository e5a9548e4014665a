// Package scenario is the command language. A key, a line at the prompt, a line of
// a scenario file and a line of a saved session are all commands of it.
//
// # Order
//
// [Load] and [Parse] read a whole scenario and run nothing of it if one line has a
// mistake. The resulting [Script] is performed on a cluster, inside virtual time,
// by [Script.Perform]. A [Session] runs single lines instead, as they are typed;
// it reads them with [Session.Parse].
//
// A [Line] is a command that has been checked and can run. A [Command] is only its
// words: what a recording or another package needs to know which command it was.
//
// Every command is declared once, with its syntax, its help, its parser and its
// action. The parser, the completion, `capsize commands` and the table in README.md
// all come from that declaration.
//
// # To add a command
//
// Declare it in the file of its subject:
//
//   - commands_setup.go: the cluster to start (nodes, seed, set)
//   - commands_client.go: what clients do (increment, read, load)
//   - commands_node.go: processes, clocks and disks (kill, pause, disk)
//   - commands_member.go: membership (add-node, transfer, recover)
//   - commands_network.go: links (cut, partition, heal)
//   - commands_wait.go, commands_expect.go, expect_refused.go: conditions
//   - commands_prefix.go: words before another command (async, try)
//   - question.go, question_run.go: what an audience is asked (ask, choice, because)
//   - commands_stage.go: what an audience sees (say, step), and names (let)
//   - commands_chaos.go: the nemesis, whose faults are in nemesis_faults.go
//
// Then add a good line and a mistake to parse_test.go, which fails for a command
// without a line, and copy the table that readme_test.go prints into README.md.
//
// # To add a scenario
//
// Write scenarios/NAME.capsize with captions in English and Chinese, and put NAME
// into builtinNames. In builtin_test.go, add to storyChanges the line of it that
// matters: without that line the scenario must fail.
package scenario
