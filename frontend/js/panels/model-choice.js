// The choice of the model.

import { byId, element } from '../dom.js';
import { strings } from '../strings.js';

/** @param {{onModel: (model: Model) => void, cardUrl: (model: Model) => string}} options */
export function createModelChoice({ onModel, cardUrl }) {
  const root = byId('models');
  root.replaceChildren(element('p', { className: 'secondary' }, strings.model.waiting));

  const renderOption = (model, selected) => {
    const input = element('input', { type: 'radio', name: 'model', value: model.name, checked: selected });
    input.addEventListener('change', () => onModel(model));
    return element('div', { className: 'model' },
      element('label', {},
        input,
        element('span', { className: 'model-title' }, model.title),
        element('span', { className: 'secondary' }, strings.model.version(model.version))),
      element('a', { href: cardUrl(model), target: '_blank', rel: 'noopener',
        'aria-label': strings.model.card(model.title) }, strings.model.cardShort));
  };

  return {
    /** Lists the models, with `selected` selected. */
    setModels(models, selected) {
      root.replaceChildren(...models.map((model) => renderOption(model, model === selected)));
    },
  };
}
