// A program on the client that NGINX and others use for NGINX Plus, as Debian
// packages it: it adds, updates, lists and deletes servers and key-values, in
// http and in stream, and reads all statistics.
//
// usage: plus API
//
// Needs http upstream "app", stream upstream "sql", and keyval zones "flags"
// in http, "pools" in stream.  Each claim is one line, "ok" or "not ok".

package main

import (
	"fmt"
	"net/http"
	"os"
	"reflect"
	"sort"

	plus "github.com/nginxinc/nginx-plus-go-client/client"
)

func is(got, want interface{}, name string) {
	if reflect.DeepEqual(got, want) {
		fmt.Printf("ok - %s\n", name)
		return
	}
	fmt.Printf("not ok - %s: got %v, not %v\n", name, got, want)
}

func fine(err error, name string) {
	is(err, nil, name)
}

func number(n int) *int { return &n }
func yes() *bool        { b := true; return &b }

func httpNames(c *plus.NginxClient) []string {
	servers, err := c.GetHTTPServers("app")
	fine(err, "http: list")
	names := []string{}
	for _, s := range servers {
		names = append(names, s.Server)
	}
	sort.Strings(names)
	return names
}

func streamNames(c *plus.NginxClient) []string {
	servers, err := c.GetStreamServers("sql")
	fine(err, "stream: list")
	names := []string{}
	for _, s := range servers {
		names = append(names, s.Server)
	}
	sort.Strings(names)
	return names
}

func httpServers(c *plus.NginxClient) {
	one, two, three := "127.0.0.1:8081", "127.0.0.2:8081", "127.0.0.3:80"

	fine(c.CheckIfUpstreamExists("app"), "http: the upstream exists")
	is(c.CheckIfUpstreamExists("none") != nil, true, "http: another does not")

	added, deleted, updated, err := c.UpdateHTTPServers("app",
		[]plus.UpstreamServer{{Server: one}, {Server: two,
			MaxConns: number(5), MaxFails: number(2), FailTimeout: "7s",
			SlowStart: "3s", Route: "b", Backup: yes(), Down: yes(),
			Weight: number(4)}})
	fine(err, "http: update to two servers")
	is([]int{len(added), len(deleted), len(updated)}, []int{2, 1, 0},
		"http: two added, the one of the file deleted")
	is(httpNames(c), []string{one, two}, "http: they are there")

	servers, _ := c.GetHTTPServers("app")
	for _, s := range servers {
		if s.Server == two {
			is([]interface{}{*s.MaxConns, *s.MaxFails, s.FailTimeout,
				s.SlowStart, s.Route, *s.Backup, *s.Down, *s.Weight},
				[]interface{}{5, 2, "7s", "3s", "b", true, true, 4},
				"http: with all that was said")
		}
	}

	added, deleted, updated, err = c.UpdateHTTPServers("app", servers)
	fine(err, "http: update to the same")
	is(len(added)+len(deleted)+len(updated), 0, "http: nothing to do")

	added, deleted, updated, err = c.UpdateHTTPServers("app",
		[]plus.UpstreamServer{{Server: one, Weight: number(9)},
			{Server: "127.0.0.3"}})
	fine(err, "http: update to others, one without a port")
	is([]int{len(added), len(deleted), len(updated)}, []int{1, 1, 1},
		"http: one added, one deleted, one changed")
	is(httpNames(c), []string{one, three}, "http: port 80 was meant")

	is(c.AddHTTPServer("app", plus.UpstreamServer{Server: one}) != nil, true,
		"http: add what is there")
	fine(c.AddHTTPServer("app", plus.UpstreamServer{Server: two}),
		"http: add")
	fine(c.DeleteHTTPServer("app", two), "http: delete")
	is(c.DeleteHTTPServer("app", two) != nil, true,
		"http: delete what is gone")

	servers, _ = c.GetHTTPServers("app")
	for _, s := range servers {
		if s.Server == one {
			s.Drain = true
			fine(c.UpdateHTTPServer("app", s), "http: drain")
		}
	}
	upstreams, err := c.GetUpstreams()
	fine(err, "http: states")
	for _, peer := range (*upstreams)["app"].Peers {
		if peer.Server == one {
			is(peer.State, "draining", "http: it is draining")
		}
	}

	added, deleted, updated, err = c.UpdateHTTPServers("app",
		[]plus.UpstreamServer{{Server: one}})
	fine(err, "http: back to one server as it was")
	is(httpNames(c), []string{one}, "http: one is left")
	_, deleted, _, err = c.UpdateHTTPServers("app", nil)
	fine(err, "http: update to none")
	is(len(deleted), 1, "http: the last one is deleted")
}

func streamServers(c *plus.NginxClient) {
	one, two := "127.0.0.1:5432", "127.0.0.2:5432"

	fine(c.CheckIfStreamUpstreamExists("sql"), "stream: the upstream exists")

	added, deleted, updated, err := c.UpdateStreamServers("sql",
		[]plus.StreamUpstreamServer{{Server: one}, {Server: two,
			Weight: number(4), Down: yes(), MaxConns: number(7)}})
	fine(err, "stream: update to two servers")
	is([]int{len(added), len(deleted), len(updated)}, []int{2, 1, 0},
		"stream: two added, the one of the file deleted")

	added, deleted, updated, err = c.UpdateStreamServers("sql",
		[]plus.StreamUpstreamServer{{Server: one, Weight: number(2)}})
	fine(err, "stream: update to one of them, changed")
	is([]int{len(added), len(deleted), len(updated)}, []int{0, 1, 1},
		"stream: one deleted, one changed")
	is(streamNames(c), []string{one}, "stream: one is there")

	fine(c.AddStreamServer("sql", plus.StreamUpstreamServer{Server: two}),
		"stream: add")
	fine(c.DeleteStreamServer("sql", two), "stream: delete")
	is(streamNames(c), []string{one}, "stream: one is left")
}

func keyvals(c *plus.NginxClient) {
	fine(c.AddKeyValPair("flags", "a", "1"), "keyval: add")
	fine(c.AddKeyValPair("flags", "b", "2"), "keyval: add another")
	is(c.AddKeyValPair("flags", "a", "1") != nil, true, "keyval: add again")
	fine(c.ModifyKeyValPair("flags", "a", "one"), "keyval: modify")
	fine(c.DeleteKeyValuePair("flags", "b"), "keyval: delete")
	pairs, err := c.GetKeyValPairs("flags")
	fine(err, "keyval: list")
	is(pairs, plus.KeyValPairs{"a": "one"}, "keyval: what is left")
	all, err := c.GetAllKeyValPairs()
	fine(err, "keyval: all zones")
	is(all, plus.KeyValPairsByZone{"flags": {"a": "one"}}, "keyval: one")
	fine(c.DeleteKeyValPairs("flags"), "keyval: empty it")
	pairs, _ = c.GetKeyValPairs("flags")
	is(len(pairs), 0, "keyval: it is empty")

	fine(c.AddStreamKeyValPair("pools", "80", "x"), "stream keyval: add")
	fine(c.ModifyStreamKeyValPair("pools", "80", "y"), "stream keyval: modify")
	pairs, err = c.GetStreamKeyValPairs("pools")
	fine(err, "stream keyval: list")
	is(pairs, plus.KeyValPairs{"80": "y"}, "stream keyval: what is there")
	fine(c.DeleteStreamKeyValuePair("pools", "80"), "stream keyval: delete")
	fine(c.DeleteStreamKeyValPairs("pools"), "stream keyval: empty it")
	all, err = c.GetAllStreamKeyValPairs()
	fine(err, "stream keyval: all zones")
	is(len(all["pools"]), 0, "stream keyval: it is empty")
}

func main() {
	for version := 4; version <= 8; version++ {
		_, err := plus.NewNginxClientWithVersion(&http.Client{}, os.Args[1],
			version)
		fine(err, fmt.Sprintf("a client of version %d", version))
	}

	c, err := plus.NewNginxClient(&http.Client{}, os.Args[1])
	fine(err, "the client's own version")

	if err != nil {
		os.Exit(1)
	}

	stats, err := c.GetStats()
	fine(err, "all statistics")

	if err == nil {
		is(stats.NginxInfo.Generation, uint64(1), "generation")
		is(len(stats.Upstreams["app"].Peers), 1, "peers of http")
		is(len(stats.StreamUpstreams["sql"].Peers), 1, "peers of stream")
		is(stats.Connections.Accepted > 0, true, "connections")
		is(stats.HTTPRequests.Total > 0, true, "requests")
		is(stats.ServerZones["front"].Requests > 0, true, "server zones")
		is(stats.LocationZones["place"].Requests > 0, true, "location zones")
		is(len(stats.Slabs["app"].Slots) > 0, true, "slabs")
	}

	httpServers(c)
	streamServers(c)
	keyvals(c)

	fmt.Println("done")
}
