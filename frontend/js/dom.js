// Creates and finds elements. Text is always set as text and never parsed as HTML.

/** Creates an element with properties, attributes and children. @param {string} tag @param {Record<string, any>} properties @param {any[]} children @returns {any} */
export function element(tag, properties = {}, ...children) {
  /** @type {any} */
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name === 'dataset') Object.assign(node.dataset, value);
    else if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);
