/**
 * How Chromium is kept from every way to the network but its proxy: it resolves no name itself, sends no datagram (WebRTC,
 * QUIC), and starts nothing on its own account. Never a list of hosts that go around the proxy.
 */
export const chromiumNetworkFlags: readonly string[] = [
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1',
  '--force-webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--webrtc-ip-handling-policy=disable_non_proxied_udp',
  '--disable-quic',
  '--disable-background-networking',
  '--dns-prefetch-disable',
  '--no-pings',
];
