// The choice among the models that the server has.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';

/** Calls `onModel(model)` with the API's own record of the chosen model. */
export function createModelChoice({ onModel, cardUrl }) {
  const root = byId('models');
  root.replaceChildren(element('p', { className: 'quiet' }, strings.model.waiting));

  const option = (model, chosen) => {
    const input = element('input', { type: 'radio', name: 'model', value: model.name, checked: chosen });
    input.addEventListener('change', () => onModel(model));
    return element('div', { className: 'model' },
      element('label', {},
        input,
        element('span', { className: 'model-title' }, model.title),
        element('span', { className: 'quiet' }, strings.model.version(model.version))),
      element('a', { href: cardUrl(model), target: '_blank', rel: 'noopener',
        'aria-label': strings.model.card(model.title) }, strings.model.cardShort));
  };

  return {
    /** Lists the models, with `chosen` selected. */
    setModels(models, chosen) {
      root.replaceChildren(...models.map((model) => option(model, model === chosen)));
    },
  };
}
