"""The picture of docs/performance.md: CPU time relative to nginx, as bars with their intervals."""

from html import escape

WIDTH, LEFT, RIGHT = 800, 300, 30
BAR, GAP, GROUP_GAP, TOP, BOTTOM = 16, 4, 16, 44, 40
COLOURS = {"weir": "#1f6f8b", "weir-bare": "#8fb9c9", "haproxy": "#b0bec5"}
INK_ON = {"weir": "#ffffff", "weir-bare": "#263238", "haproxy": "#263238"}
INK, FAINT, PAPER = "#263238", "#cfd8dc", "#ffffff"


def text(x, y, words, anchor="start", size=12, weight="normal", colour=INK):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}"'
            f' fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>')


def line(x1, y1, x2, y2, colour=INK, width=1.0, dash=""):
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"'
            f' stroke-width="{width}"{dashes}/>')


def bar(y, gateway, ratio, scale):
    """A bar to the median, and a whisker from the low to the high end of the interval."""
    median, low, high = ratio
    middle = y + BAR / 2
    parts = [f'<rect x="{LEFT}" y="{y:.1f}" width="{median * scale:.1f}" height="{BAR}"'
             f' fill="{COLOURS[gateway]}"/>',
             line(LEFT + low * scale, middle, LEFT + high * scale, middle)]
    parts += [line(LEFT + end * scale, middle - 4, LEFT + end * scale, middle + 4)
              for end in (low, high)]
    parts.append(text(LEFT + 8, middle + 4, f"{median:.2f}", size=11, colour=INK_ON[gateway]))
    return parts


def axis(largest, scale, height):
    parts = []
    for tenth in range(0, int(largest * 10) + 1, 2):
        x = LEFT + tenth / 10 * scale
        parts.append(line(x, TOP - 6, x, height - BOTTOM, FAINT))
        parts.append(text(x, height - BOTTOM + 16, f"{tenth / 10:.1f}", "middle", 11))
    x = LEFT + scale
    parts.append(line(x, TOP - 6, x, height - BOTTOM, INK, 1.2, "4 3"))
    parts.append(text(x, TOP - 12, "nginx", "middle", 11, "bold"))
    return parts


def legend(gateways, height):
    parts, x = [], LEFT
    for gateway in gateways:
        parts.append(f'<rect x="{x}" y="{height - 16}" width="10" height="10"'
                     f' fill="{COLOURS[gateway]}"/>')
        parts.append(text(x + 14, height - 7, gateway, size=11))
        x += 80
    return parts


def draw(groups):
    """An SVG of [(title, {gateway: (median, low, high)})]."""
    bars = sum(len(ratios) for _, ratios in groups)
    height = TOP + bars * (BAR + GAP) + len(groups) * GROUP_GAP + BOTTOM
    largest = max([1.2] + [ratio[2] for _, ratios in groups for ratio in ratios.values()])
    scale = (WIDTH - LEFT - RIGHT) / largest
    parts = [f'<rect width="{WIDTH}" height="{height}" fill="{PAPER}"/>',
             text(12, 20, "CPU time relative to nginx proxy_pass (less is better)", size=14,
                  weight="bold"),
             *axis(largest, scale, height)]
    y = TOP
    for title, ratios in groups:
        parts.append(text(LEFT - 10, y + BAR / 2 + 4, title, "end"))
        for gateway, ratio in ratios.items():
            parts += bar(y, gateway, ratio, scale)
            y += BAR + GAP
        y += GROUP_GAP
    parts += legend(list(dict.fromkeys(g for _, ratios in groups for g in ratios)), height)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}"'
            f' viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" role="img"'
            f' aria-label="CPU time of weir and HAProxy relative to nginx">\n'
            + "\n".join(parts) + "\n</svg>\n")
