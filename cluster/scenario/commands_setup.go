package scenario

import (
	"slices"
	"strings"

	"capsize/cluster"
)

// setupCommands describe the cluster to start. They come before all others.
func setupCommands() []declaration {
	return []declaration{
		{name: "title", syntax: "title TEXT", help: "name the scenario", setup: func(p *lineParser, s *Script) error {
			s.Title = p.remainder()
			return nil
		}},
		{name: "nodes", syntax: "nodes N", help: "start with N nodes, 1 to 99", setup: func(p *lineParser, s *Script) error {
			n, err := p.integer("a number of nodes", 1, cluster.NodesMax)
			s.Nodes = int(n)
			return err
		}},
		{name: "seed", syntax: "seed N", help: "seed all random choices that capsize makes", setup: func(p *lineParser, s *Script) (err error) {
			s.Settings.Seed, err = p.integer("a seed", -1<<62, 1<<62)
			return err
		}},
		{name: "storage", syntax: "storage bolt|memory", help: "keep the nodes' data on disk (bolt) or in memory", setup: func(p *lineParser, s *Script) (err error) {
			s.Settings.Storage, err = p.choice("a storage", cluster.Bolt, cluster.Memory)
			return err
		}},
		{name: "set", syntax: "set KEY VALUE", help: "change a setting: " + strings.Join(cluster.SettingKeys(), ", ") + "; while the cluster runs, only " + orList(cluster.LiveSettings()), setup: parseSet, parse: parseLiveSet},
	}
}

// parseLiveSet parses a setting that changes while the cluster runs.
func parseLiveSet(p *lineParser) (action, error) {
	at := p.pos
	key, err := p.choice("a setting", cluster.SettingKeys()...)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(cluster.LiveSettings(), key) {
		return nil, p.fail(p.words[at], "set %s comes too late: while the cluster runs, only %s can change", key, orList(cluster.LiveSettings()))
	}
	value, err := p.next("a value for " + key)
	if err != nil {
		return nil, err
	}
	settings := p.scope.settings
	if err := cluster.SetSetting(&settings, key, value.text); err != nil {
		return nil, p.fail(value, "%v", err)
	}
	// Under try and expect refused, the cluster refuses it when the command runs.
	switch err := cluster.ValidateSettings(settings); {
	case err == nil:
		p.scope.settings = settings
	case p.words[0].text == "set":
		return nil, p.fail(value, "%v", err)
	}
	return func(r *run) error { return r.c.SetTimeout(key, value.text) }, nil
}

func parseSet(p *lineParser, s *Script) error {
	key, err := p.choice("a setting", cluster.SettingKeys()...)
	if err != nil {
		return err
	}
	value, err := p.next("a value for " + key)
	if err != nil {
		return err
	}
	if err := cluster.SetSetting(&s.Settings, key, value.text); err != nil {
		return p.fail(value, "%v", err)
	}
	return nil
}
