// Package hunt searches for schedules of faults that break a cluster: which faults, where, and when.
//
// A search works like a coverage-guided fuzzer (AFL; Böhme et al., "Coverage-based Greybox Fuzzing
// as Markov Chain", CCS 2016). Its inputs are scenarios. It runs each one exactly, and notes the
// states that the cluster passed through, above all the dangerous ones ([Signals]). It keeps an
// input that reached a state no other input had reached, and changes those inputs further whose
// states are rare.
//
//	[schedule] --mutate--> [schedule] --run--> [coverage] --new?--> [corpus]
//
// The same seed gives the same search, on any number of cores.
package hunt
