package headless

import (
	"slices"
	"strings"
	"testing"
)

func TestSeedsAreParsed(t *testing.T) {
	for text, want := range map[string]int64{"5": 1, "0-9": 10, "1-100": 100, "7-7": 1} {
		if s, err := ParseSeeds(text, ""); err != nil || s.Count() != want || s.Range() != text && text != "7-7" {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	for _, test := range []struct{ seeds, shard, why string }{
		{"9-1", "", "runs backwards; write 1-9"},
		{"x", "", "not a range of seeds"},
		{"", "", "not a range of seeds"},
		{"1-", "", "not a range of seeds"},
		{"-5", "", "not a range of seeds"},
		{"1-2-3", "", "not a range of seeds"},
		{"+1-2", "", "not a range of seeds"},
		{"1-99999999999999999999", "", "not a range of seeds"},
		{"1-10000001", "", "10000001 seeds are too many"},
		{"1-9", "0/4", "no shard 0 of 4; use 1/4 to 4/4"},
		{"1-9", "5/4", "no shard 5 of 4"},
		{"1-9", "x", "not a shard; write it like 3/8"},
		{"1-9", "1/0", "not a shard"},
		{"1-9", "-1/4", "not a shard"},
		{"1-9", "1/2/3", "not a shard"},
		{"1-2", "4/4", "has none of the 2 seeds"},
	} {
		if _, err := ParseSeeds(test.seeds, test.shard); err == nil || !strings.Contains(err.Error(), test.why) {
			t.Errorf("%s %s: got %v, want %q", test.seeds, test.shard, err, test.why)
		}
	}
}

// The shard of a seed depends on the seed and on the number of shards, not on the range, and each seed
// has one.
func TestShardsDivideTheSeeds(t *testing.T) {
	for _, seeds := range []string{"0-100", "1-100", "17-42", "5-13"} {
		var all []int64
		for _, shard := range []string{"1/5", "2/5", "3/5", "4/5", "5/5"} {
			s, err := ParseSeeds(seeds, shard)
			if err != nil {
				t.Fatal(err)
			}
			own := slices.Collect(s.All())
			for _, seed := range own {
				if seed%5 != s.Shard-1 || !s.Has(seed) {
					t.Errorf("seed %d is in shard %s", seed, shard)
				}
			}
			if int64(len(own)) != s.Count() {
				t.Errorf("%s of %s: %d seeds, but %d are counted", shard, seeds, len(own), s.Count())
			}
			all = append(all, own...)
		}
		whole, _ := ParseSeeds(seeds, "")
		if slices.Sort(all); !slices.Equal(all, slices.Collect(whole.All())) {
			t.Errorf("the shards of %s hold %v", seeds, all)
		}
	}
}
