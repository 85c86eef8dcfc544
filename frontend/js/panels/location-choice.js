// The choice of where the models run, and what it means for the images.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';

/** @param {{location: ReturnType<typeof import('../device/location.js').createLocation>}} options */
export function createLocationChoice({ location }) {
  const root = byId('location');

  const option = (/** @type {'automatic' | 'device' | 'server'} */ name) => {
    const input = element('input', { type: 'radio', name: 'location', value: name, checked: name === location.current() });
    input.addEventListener('change', () => {
      location.choose(name);
      showPrivacy();
    });
    return element('label', {}, input, element('span', {}, strings.location[name]));
  };
  const showPrivacy = () => { byId('drop-privacy').textContent = strings.location.privacy[location.current()]; };

  return {
    /** Shows the possible choices; a single one needs no question. */
    updateTexts() {
      const choices = location.choices();
      root.hidden = choices.length < 2;
      root.replaceChildren(element('legend', {}, strings.location.title), ...choices.map(option));
      showPrivacy();
    },
  };
}
