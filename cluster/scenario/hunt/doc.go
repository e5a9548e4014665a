// Package hunt searches for schedules of faults that break a cluster: which faults, where, and when.
//
// A search works like a coverage-guided fuzzer (AFL; Böhme et al., "Coverage-based Greybox Fuzzing
// as Markov Chain", CCS 2016). Its inputs are scenarios. It runs each one, and notes the states
// that the cluster passed through, above all the dangerous ones ([Signals]). It keeps an input that
// reached a state no other input had reached, and changes those inputs further whose states are rare.
//
//	[schedule] --mutate--> [schedule] --run--> [coverage] --new?--> [corpus]
//
// Native clusters are searched by default, because they run faster. A finding is then kept as an
// exact run, if one fails in the same way. With exact clusters, the same seed gives the same search,
// on any number of cores.
package hunt
