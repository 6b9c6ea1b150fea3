// Points that arrive faster than a plot is drawn: Dash's Graph keeps them until the drawing is done, and at each arrival
// hands all that it kept to Plotly once more. They would be drawn several times, each time slower than before.
// So each update is drawn once: a repeated one is the very same object.
(() => {
    const drawn = new WeakSet();
    const once = draw => (plot, update, ...rest) => {
        if (drawn.has(update)) return Promise.resolve(plot);
        drawn.add(update);
        return draw(plot, update, ...rest);
    };
    let plotly;
    const guard = library => {
        plotly = library;
        for (const name of ['extendTraces', 'prependTraces']) plotly[name] = once(plotly[name]);
    };
    if (window.Plotly) guard(window.Plotly);
    Object.defineProperty(window, 'Plotly', {configurable: true, get: () => plotly, set: guard}); // it loads late
})();
