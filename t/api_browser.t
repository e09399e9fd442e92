#!/usr/bin/perl

# The status page in a real browser: what a person sees, reads with other
# means than eyes, and clicks.  The console stays empty, and the first thing
# to be seen is there in 200 ms.
#
# Screenshots stay in build/screenshots.  Skipped where Debian's chromium is
# missing ("make deps-clients").

use FindBin;
use lib "$FindBin::Bin/lib";

use Duplex::Test;
use Duplex::Browser;
use File::Path qw/make_path/;


plan(skip_all => 'no chromium') if !Duplex::Browser::is_there();

my $shots = "$FindBin::Bin/../build/screenshots";

make_path($shots);

my $crowd = join "\n", map { "        server 127.0.$_:%%PORT_none%%;" }
                       map { my $i = $_; map { "$i.$_" } 1 .. 250 } 1 .. 4;

my $node = Duplex::Node->new(name => 'a', vars => { CROWD => $crowd },
                             conf => <<'EOC');
%%MAIN%%
worker_processes 2;
duplex_node %%NAME%%;

events {
}

http {
    %%HTTP%%

    upstream app {
        zone app 256k;
        sticky route $arg_r;
        server 127.0.0.1:%%PORT_back%%;
        server 127.0.0.2:%%PORT_back%% weight=3;
        server 127.0.0.3:%%PORT_none%%;
    }

    upstream green {
        zone green 256k;
        server 127.0.0.1:%%PORT_back%%;
    }

    duplex_split $pool site {
        app    100 as=blue;
        green    0 as=green;
        key    $arg_key;
    }

    server {
        listen %%LISTEN_back%%;
        listen 127.0.0.2:%%PORT_back%%;
        return 200 "ok";
    }

    server {
        listen %%LISTEN_front%%;

        location / {
            proxy_pass http://$pool;
        }

        location /checked {
            proxy_pass http://app;
            health_check interval=200ms fails=1;
        }
    }

    server {
        listen %%LISTEN_api%%;

        location = / {
            duplex_dashboard;
        }

        location = /read {
            duplex_dashboard api=/read/api/;
        }

        location /api/ {
            api write=on;
        }

        location /read/api/ {
            api;
        }
    }

    upstream crowd {
        zone crowd 4m;
%%CROWD%%
    }

    server {
        listen %%LISTEN_crowd%%;

        location = / {
            duplex_dashboard;
        }

        location /api/ {
            api;
        }
    }
}
EOC

$node->start();

my $api = $node->address('api');

get($node->address('front'), '/') for 1 .. 20;

wait_for {
    (api_get($api, '/api/9/http/upstreams/app'))[1]{peers}[2]{state}
        eq 'unhealthy'
} 10, 'a server is out';

my $page = Duplex::Browser->open("http://$api/");

sees(q(document.title === "a \u2013 nginx-duplex"), 'the title');

# 1,000 servers and what is around them

seen('#groups table', 3, 'tables');
sees(q(id("count").textContent === "1004 of 1004 servers"), 'all servers');
sees(q([...document.querySelectorAll("#groups tr")].some(tr =>
       /127.0.0.3/.test(tr.textContent) && /unhealthy/.test(tr.textContent)
       && /a: connect/.test(tr.textContent))), 'who is out, and why');
sees(q(id("live").textContent === "live"), 'live');
sees(q(id("nodes").textContent.includes("a (this one)")), 'this node');

# the browser's own measure: from the request to what is there to be seen

my $paint = q(performance.getEntriesByType("paint")
              .find(e => e.name === "first-contentful-paint").startTime);

sees(q(performance.getEntriesByType("paint").length > 0), 'painted');

my $limit = 200 * ($ENV{DUPLEX_SLOW} || 1);
my $first = $page->js($paint);

for (1 .. 9) {
    last if $first < $limit;
    $page->go("http://$api/");
    wait_for { $page->js('performance.getEntriesByType("paint").length') } 10,
        'painted';
    $first = $page->js($paint);
}

cmp_ok($first, '<', $limit, 'first paint');

# find and order

fill('#find', 'app 127.0.0.2');
sees(q(id("count").textContent === "1 of 1004 servers"), 'found');
fill('#find', 'app 127.0.0');
sees(q(id("count").textContent === "3 of 1004 servers"), 'found all');
sees(q(document.querySelectorAll("#groups svg").length === 6),
     'traffic and time of each are drawn');

# drain, undrain, weight: a question first

my $row = 'tr[data-key="http app 1"]';

$page->click("$row button");
sees(q(id("ask").open && /^Drain 127.0.0.2/.test(id("ask-title").textContent)),
     'a question');
$page->screenshot("$shots/question.png");
$page->key('Escape');
sees(q(!id("ask").open), 'no after all');
is(state(1), 'up', 'nothing has changed');

$page->click("$row button");
sees(q(id("ask").open), 'the question again');
$page->click('#ask-yes');
sees(qq(document.querySelector('$row .state').textContent === "draining"),
     'it drains');
is(state(1), 'draining', 'in the API, too');

$page->click("$row button");
sees(q(/^Undrain/.test(id("ask-title").textContent)), 'and back');
$page->click('#ask-yes');
happens { state(1) eq 'up' } 10, 'it is up';

sees(q(!id("ask").open), 'the question is gone');
$page->click("$row button:nth-of-type(3)");
sees(q(!id("ask-weight").hidden), 'a weight is asked for');
fill('#weight', '0');
$page->click('#ask-yes');
sees(q(id("ask").open), 'not 0');
fill('#weight', '7');
$page->key('Enter');
$page->click('#ask-yes') if $page->js('id("ask").open');
happens {
    (api_get($api, '/api/9/http/upstreams/app/servers/1'))[1]{weight} == 7
} 10, 'the weight';

# a deployment

is((api_call($api, 'POST', '/api/duplex/deployments',
             { split => 'site', to => 'green', steps => [ 10, 100 ],
               every => '1h' }))[0], 201, 'a deployment');
sees(q(/10 %/.test(id("deployment-list").textContent)), 'is shown');
$page->screenshot("$shots/light.png");
$page->click('#deployment-list button[aria-label="Roll back site"]');
sees(q(id("ask").open), 'rolled back? asked first');
$page->click('#ask-yes');
happens {
    (api_get($api, '/api/duplex/deployments/site'))[1]{state} eq 'rolled back'
} 10, 'it is rolled back';

# by keyboard alone: each thing that can be used is reached, and is seen then

fill('#find', 'app 127.0.0');
sees(q(!id("ask").open), 'no question is open');
$page->js('document.activeElement.blur(); window.scrollTo(0, 0)');

my %reached;

for (1 .. 20) {
    $page->key('Tab');
    my $at = $page->js(q((() => {
        const e = document.activeElement, style = getComputedStyle(e);
        return e === document.body ? "" : (e.ariaLabel || e.id) + "|"
            + (parseFloat(style.outlineWidth) > 0); })()));
    my ($name, $outlined) = split /\|/, $at;
    next if !defined $name;
    $reached{$name} = $outlined;
}

is(join(' ', grep { !$reached{$_} } qw/find show order/), '',
   'reached by Tab');
is($reached{'Drain 127.0.0.2:' . $node->port('back') . ' in app'}, 'true',
   'a button, too, with a frame');
is((grep { $_ ne 'true' } values %reached), 0, 'all have a frame');

# what other means than eyes need, in light and dark

audit($page, 'light');
is(join("\n", $page->complaints()), '', 'the console is empty');
is(join(' ', grep { !m{^http://\Q$api\E/|^data:,$} } $page->requests()), '',
   'nothing is asked for elsewhere');
$page->close();

$page = Duplex::Browser->open("http://$api/read", dark => 1, width => 390,
                              height => 844);
seen('#groups table', 3, 'read only: tables');
fill('#find', 'app');
sees(q(!document.querySelector("#groups button")), 'nothing to click');
sees(q(document.documentElement.scrollWidth <= innerWidth),
     'a phone is wide enough');
audit($page, 'dark');
$page->screenshot("$shots/phone-dark.png");
is(join("\n", $page->complaints()), '', 'the console is empty');
$page->close();

done_testing();


sub sees {
    my ($expression, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    happens { $page->js("!!($expression)") } 20, $name;
}


sub seen {
    my ($selector, $n, $name) = @_;

    local $Test::Builder::Level = $Test::Builder::Level + 1;

    sees("document.querySelectorAll('$selector').length === $n", $name);
}


sub fill {
    my ($selector, $text) = @_;

    $page->js("(() => { const e = document.querySelector('$selector');"
              . "e.focus(); e.value = '$text';"
              . "e.dispatchEvent(new Event('input')); })()");
}


sub state {
    return (api_get($api, '/api/9/http/upstreams/app'))[1]{peers}[$_[0]]{state};
}


# labels, names, headings, language, contrast as WCAG 2.1 AA wants it

sub audit {
    my ($page, $name) = @_;

    my $faults = $page->js(<<'EOJ');
(() => {
  const faults = [], shown = e => e.getClientRects().length > 0;
  const all = s => [...document.querySelectorAll(s)].filter(shown);
  const say = (what, e) => faults.push(what + ": "
    + e.outerHTML.slice(0, 100));

  if (!document.documentElement.lang) faults.push("no language");
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one h1");
  if (all("main").length !== 1) faults.push("not one main");

  let level = 0;
  for (const h of all("h1, h2, h3, h4")) {
    if (+h.tagName[1] > level + 1) say("heading skipped", h);
    level = +h.tagName[1];
  }
  for (const e of all("input, select"))
    if (!(e.labels.length || e.ariaLabel)) say("no label", e);
  for (const e of all("button, a"))
    if (!(e.textContent.trim() || e.ariaLabel)) say("no name", e);
  for (const e of all("[role=img], table"))
    if (!e.ariaLabel) say("no name", e);
  for (const e of all("th")) if (!e.scope) say("no scope", e);
  const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
  for (const x of ids)
    if (ids.indexOf(x) !== ids.lastIndexOf(x)) faults.push("twice: " + x);
  for (const e of document.querySelectorAll("[aria-labelledby]"))
    if (!document.getElementById(e.getAttribute("aria-labelledby")))
      say("labelled by nothing", e);
  for (const e of all("[role=listitem]"))
    if (e.parentElement.getAttribute("role") !== "list")
      say("no list around", e);
  for (const e of all("[tabindex]"))
    if (e.tabIndex > 0) say("order by hand", e);

  const rgb = text => text.match(/[\d.]+/g).map(Number);
  const light = c => c.slice(0, 3).map(v => { v /= 255;
      return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; })
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  for (const e of all("body *")) {
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()))
      continue;
    let back = e;
    while (back && (rgb(getComputedStyle(back).backgroundColor)[3] ?? 1) === 0)
      back = back.parentElement;
    const a = light(rgb(getComputedStyle(e).color));
    const b = light(rgb(getComputedStyle(back || document.body)
                        .backgroundColor));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) say("contrast " + ratio.toFixed(2), e);
  }
  return [...new Set(faults)].slice(0, 10);
})()
EOJ

    is(join("\n", @$faults), '', "accessible: $name");
}
