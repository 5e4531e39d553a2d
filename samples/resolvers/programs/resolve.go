// Resolve a name and connect to its first address, some times over: resolve NAME PORT TIMES PAUSE_MS [ip4].
// Port 0 connects to nothing. One line of JSON for each time.
package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"strconv"
	"time"
)

func connects(address net.IP, port string) bool {
	connection, err := net.DialTimeout("tcp", net.JoinHostPort(address.String(), port), 3*time.Second)
	if err != nil {
		return false
	}
	connection.Close()
	return true
}

func main() {
	name, port, network := os.Args[1], os.Args[2], "ip"
	times, _ := strconv.Atoi(os.Args[3])
	pause, _ := strconv.Atoi(os.Args[4])
	if len(os.Args) > 5 {
		network = os.Args[5]
	}
	for turn := 0; turn < times; turn++ {
		if turn > 0 {
			time.Sleep(time.Duration(pause) * time.Millisecond)
		}
		started := time.Now()
		found, err := net.DefaultResolver.LookupIP(context.Background(), network, name)
		told := map[string]any{
			"name": name, "started": float64(started.UnixMicro()) / 1e6, "took_s": time.Since(started).Seconds(),
			"addresses": len(found), "connected": false, "error": "",
		}
		if err != nil {
			told["error"] = err.Error()
		} else if port != "0" {
			told["connected"] = connects(found[0], port)
		}
		json.NewEncoder(os.Stdout).Encode(told)
	}
}
