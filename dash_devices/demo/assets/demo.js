// What each page does on its own: how far it looks back, whether it is light or dark, and that keys reach everything.
(() => {
    const TAB = '.tabs .tab';

    let before, lookingBack;

    // The highest value of a plot since a time; Plotly itself would also look at what is out of sight.
    function highest(plot, since) {
        const seen = plot.data.flatMap(({x, y}) => y.filter((value, i) => x[i] >= since));
        return Math.max(0, ...seen);
    }

    // newest: wall clock of the newest point, ms. seconds: how far to look back.
    // A redraw is dear, and the next points bring one anyway: it finds the range that fits them.
    function follow(newest, seconds) {
        if (!newest) return;
        const next = 2 * newest - (before || newest), redraw = seconds !== lookingBack;
        const range = [next - 1000 * seconds, next];
        document.querySelectorAll('.js-plotly-plot').forEach(plot => {
            Object.assign(plot.layout.xaxis, {range, autorange: false});
            if (plot.layout.yaxis.rangemode === 'tozero') {
                Object.assign(plot.layout.yaxis, {range: [0, 1.1 * highest(plot, range[0]) || 1], autorange: false});
            }
            if (redraw) Plotly.redraw(plot);
        });
        [before, lookingBack] = [newest, seconds];
    }

    // theme: auto, light or dark.
    function paint(theme) {
        document.documentElement.dataset.theme = theme;
    }

    // Dash's tabs are plain boxes: make them tabs for keys and for screen readers.
    function reach() {
        requestAnimationFrame(() => document.querySelectorAll(TAB).forEach(tab => {
            const open = tab.classList.contains('tab--selected');
            tab.parentElement.setAttribute('role', 'tablist');
            tab.setAttribute('role', 'tab');
            tab.setAttribute('aria-selected', open);
            tab.tabIndex = open ? 0 : -1;
        }));
    }

    document.addEventListener('keydown', event => {
        const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
        if (step && event.target.matches(TAB)) {
            const tabs = [...document.querySelectorAll(TAB)];
            const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
            next.click();
            next.focus();
        }
    });

    // The slider comes late and without a name: give it the one of its label.
    new MutationObserver((_, observer) => {
        const knob = document.querySelector('#rate [role=slider]');
        if (knob) {
            knob.setAttribute('aria-label', document.querySelector('label[for=rate]').textContent);
            observer.disconnect();
        }
    }).observe(document, {childList: true, subtree: true});

    window.dash_clientside = Object.assign(window.dash_clientside || {}, {demo: {follow, paint, reach}});
})();
